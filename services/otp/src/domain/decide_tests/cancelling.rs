//! キャンセル.

use super::*;

#[test]
fn a_flow_can_be_given_up_at_any_stage() {
    let cancel = Command::Cancel { flow: FLOW };
    nothing().when(cancel.clone()).then(otp::FlowCancelled {});
    given([issued(1)])
        .when(cancel.clone())
        .then(otp::FlowCancelled {});
    given::<CodeEvent>([issued(1).into(), accepted(1, 1).into()])
        .when(cancel)
        .then(otp::FlowCancelled {});
}

#[test]
fn giving_up_twice_is_once() {
    given([otp::FlowCancelled {}])
        .when(Command::Cancel { flow: FLOW })
        .then_nothing();
}
