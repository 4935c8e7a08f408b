//! What becomes of typed codes.

use super::*;

#[test]
fn the_right_code_is_accepted() {
    given([issued(1)])
        .when(typed(FLOW, Finding::Right))
        .then_before(accepted(1, 1), start() + TEN_MINUTES);
}

#[test]
fn a_wrong_code_leaves_one_try_less() {
    given([issued(1)])
        .when(typed(FLOW, Finding::Wrong))
        .then_before(rejected(1, 4), start() + TEN_MINUTES);
}

#[test]
fn a_replaced_code_is_told_apart_and_counted() {
    let event = otp::CodeRejected {
        replaced: true,
        ..rejected(2, 4)
    };
    given([issued(1), issued(2)])
        .when(typed(FLOW, Finding::Replaced))
        .then(event);
}

#[test]
fn a_code_is_refused_after_five_wrong_guesses() {
    given(four_wrong(1))
        .when(typed(FLOW, Finding::Right))
        .then(accepted(1, 1));
    given(four_wrong(1))
        .and(FLOW, [rejected(1, 0)])
        .when(typed(FLOW, Finding::Right))
        .then_refused(Rejection::Spent);
}

#[test]
fn a_code_expires_after_ten_minutes_and_then_nothing_is_counted() {
    given([issued(1)])
        .after(TEN_MINUTES)
        .when(typed(FLOW, Finding::Right))
        .then(accepted(1, 1));
    for finding in [Finding::Right, Finding::Wrong, Finding::Replaced] {
        given([issued(1)])
            .after(TEN_MINUTES + A_MOMENT)
            .when(typed(FLOW, finding))
            .then_refused(Rejection::Expired);
    }
}

#[test]
fn a_verified_flow_stays_verified() {
    for finding in [Finding::Right, Finding::Wrong] {
        given::<CodeEvent>([issued(1).into(), accepted(1, 1).into()])
            .after(TEN_MINUTES + A_MOMENT)
            .when(typed(FLOW, finding))
            .then_nothing();
    }
}

#[test]
fn without_a_code_there_is_nothing_to_compare() {
    nothing()
        .and(OTHER, [issued(1)])
        .when(typed(FLOW, Finding::NothingToCompare))
        .then_refused(Rejection::NoLiveCode);
}

#[test]
fn refusals_come_in_one_order() {
    let cancelled = given::<CodeEvent>([
        issued(1).into(),
        accepted(1, 1).into(),
        otp::FlowCancelled {}.into(),
    ]);
    cancelled
        .after(TEN_MINUTES + A_MOMENT)
        .when(typed(FLOW, Finding::Right))
        .then_refused(Rejection::Cancelled);
    let spent = given(four_wrong(1)).and(FLOW, [rejected(1, 0)]);
    spent
        .clone()
        .when(typed(FLOW, Finding::Right))
        .then_refused(Rejection::Spent);
    spent
        .after(TEN_MINUTES + A_MOMENT)
        .when(typed(FLOW, Finding::Right))
        .then_refused(Rejection::Expired);
}
