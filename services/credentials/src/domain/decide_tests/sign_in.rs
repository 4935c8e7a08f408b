//! What a typed password comes to.

use super::*;

#[test]
fn a_right_password_mints_a_flow() {
    given([registered()])
        .when(typed(Finding::Right, 1))
        .then(accepted(1, SECRET_DIGEST.to_vec()));
}

/// For auditors: what a person is shown is the sign-in before.
#[test]
fn a_right_password_names_the_time_before() {
    let mut second = accepted(1, SECRET_DIGEST.to_vec());
    second.previous_accepted_at = Some(to_timestamp(recorded(2).recorded_at));
    given([registered(), accepted(1, Vec::new()).into()])
        .when(typed(Finding::Right, 1))
        .then(second);
}

#[test]
fn a_right_password_without_an_address_mints_nothing() {
    let command = Command::VerifyPassword(Comparison {
        mints: None,
        ..comparison(Finding::Right, 1)
    });
    given([registered()]).when(command).then(accepted(1, Vec::new()));
}

#[test]
fn a_wrong_password_is_an_event() {
    given([registered()])
        .when(typed(Finding::Wrong, 1))
        .then(rejected(1));
}

#[test]
fn a_verdict_about_an_older_password_is_stale() {
    for finding in [Finding::Right, Finding::Wrong, Finding::WrongAgain] {
        given([registered(), changed()])
            .when(typed(finding, 1))
            .then_rejected(Rejection::VerdictStale);
    }
    given([registered(), changed()])
        .when(typed(Finding::Right, 2))
        .then(accepted(2, SECRET_DIGEST.to_vec()));
}

#[test]
fn a_phantom_never_accepts_anything() {
    for finding in [Finding::Right, Finding::Wrong] {
        given([]).when(typed(finding, 0)).then(rejected(0));
    }
    given([])
        .when(set_password())
        .then_rejected(Rejection::Evidence(Refusal::Missing));
}

#[test]
fn a_disabled_account_is_told_to_who_knows_the_password() {
    given([registered(), disabled()])
        .when(typed(Finding::Right, 1))
        .then(refused(Reason::Disabled));
    given([registered(), disabled()])
        .when(typed(Finding::Wrong, 1))
        .then(rejected(1));
}
