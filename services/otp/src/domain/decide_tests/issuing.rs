//! What a code is, and who gets one.

use super::*;

#[test]
fn a_code_lives_ten_minutes_and_is_numbered_per_account() {
    nothing().when(issue(FLOW)).then(issued(1));
    nothing()
        .and(OTHER, [issued(1)])
        .when(issue(FLOW))
        .then(issued(2));
}

#[test]
fn a_code_is_recorded_while_its_flow_may_ask_or_never() {
    nothing()
        .when(issue(FLOW))
        .then_before(issued(1), start() + FLOW_AGE);
}

#[test]
fn a_verified_flow_gets_no_further_code() {
    given::<CodeEvent>([issued(1).into(), accepted(1, 1).into()])
        .when(issue(FLOW))
        .then_nothing();
}

#[test]
fn a_cancelled_flow_gets_no_code() {
    given([otp::FlowCancelled {}])
        .when(issue(FLOW))
        .then_refused(Rejection::Cancelled);
}

#[test]
fn a_new_code_replaces_those_of_its_own_flow_only() {
    let story = given([issued(1), issued(2)]).and(OTHER, [issued(3)]);
    let stage = &story.codes.flow(FLOW).unwrap().stage;
    let (code, replaced) = stage.last_code().unwrap();
    assert_eq!((code.issue, replaced), (2, &[1][..]));
    story.when(typed(OTHER, Finding::Right)).then(accepted(3, 3));
}

/// No such event is written today: a try is recorded only on the state that it was compared with. Were there
/// one, it must not cost the newest code a try.
#[test]
fn a_wrong_try_on_another_issue_counts_nothing() {
    let story = given([issued(1), issued(2)]);
    let before = story.codes.flows.clone();
    let after = story.and(FLOW, [rejected(1, 4), rejected(3, 4)]);
    assert_eq!(after.codes.flows, before);
    after.when(typed(FLOW, Finding::Wrong)).then(otp::CodeRejected {
        in_a_row: 2,
        ..rejected(2, 4)
    });
}

#[test]
fn a_new_code_has_all_its_tries() {
    given(four_wrong(1))
        .and(FLOW, [issued(2)])
        .when(typed(FLOW, Finding::Wrong))
        .then(otp::CodeRejected {
            in_a_row: 5,
            ..rejected(2, 4)
        });
}

#[test]
fn a_number_of_issue_that_nothing_follows_keeps_nobody_out() {
    given([issued(u64::MAX)])
        .when(issue(OTHER))
        .then(issued(u64::MAX));
}
