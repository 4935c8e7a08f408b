//! Distributed passwords.

use super::*;

fn initial() -> AccountEvent {
    registered_as(true)
}

fn typed_under(rules: InitialPasswords) -> Command {
    Command::VerifyPassword(Comparison {
        initial_passwords: rules,
        ..comparison(Finding::Right, 1)
    })
}

fn must_change() -> InitialPasswords {
    InitialPasswords {
        must_change: true,
        life: None,
    }
}

/// A flow for a new password, and no sign-in.
fn another_must_be_chosen() -> PasswordResetRequested {
    PasswordResetRequested {
        secret_digest: SECRET_DIGEST.to_vec(),
        client: Some(client()),
        password_version: 1,
        device_known: false,
    }
}

#[test]
fn a_distributed_password_signs_in_until_somebody_says_otherwise() {
    given([initial()])
        .when(typed_under(InitialPasswords::default()))
        .then(accepted(1, SECRET_DIGEST.to_vec()));
}

#[test]
fn a_distributed_password_that_must_be_changed_mints_a_reset_however_often_it_is_typed() {
    given([initial()])
        .when(typed_under(must_change()))
        .then(another_must_be_chosen());
    given([initial(), another_must_be_chosen().into()])
        .when(typed_under(must_change()))
        .then(another_must_be_chosen());
}

#[test]
fn a_password_that_its_owner_has_chosen_signs_in() {
    given([registered()])
        .when(typed_under(must_change()))
        .then(accepted(1, SECRET_DIGEST.to_vec()));
    let command = Command::VerifyPassword(Comparison {
        initial_passwords: must_change(),
        ..comparison(Finding::Right, 2)
    });
    given([initial(), changed()])
        .when(command)
        .then(accepted(2, SECRET_DIGEST.to_vec()));
}

#[test]
fn a_distributed_password_expires() {
    let life = InitialPasswords {
        must_change: false,
        life: Some(std::time::Duration::from_mins(1)),
    };
    given([initial()])
        .seconds_after(59, 1)
        .when(typed_under(life))
        .then(accepted(1, SECRET_DIGEST.to_vec()));
    given([initial()])
        .seconds_after(60, 1)
        .when(typed_under(life))
        .then(another_must_be_chosen());
}

#[test]
fn a_wrong_or_locked_or_disabled_attempt_learns_nothing_of_it() {
    let wrong = Command::VerifyPassword(Comparison {
        initial_passwords: must_change(),
        ..comparison(Finding::Wrong, 1)
    });
    given([initial()]).when(wrong).then(rejected(1));
    given([initial(), locking()])
        .seconds_after(1, 2)
        .when(typed_under(must_change()))
        .then(refused(Reason::Locked));
    given([initial(), disabled()])
        .when(typed_under(must_change()))
        .then(refused(Reason::Disabled));
}

#[test]
fn without_an_address_there_is_no_reset_and_no_sign_in() {
    let command = Command::VerifyPassword(Comparison {
        initial_passwords: must_change(),
        mints: None,
        ..comparison(Finding::Right, 1)
    });
    given([initial()]).when(command).then(accepted(1, Vec::new()));
}

#[test]
fn enabling_again_does_not_make_a_distributed_password_a_chosen_one() {
    given([initial(), disabled(), AccountEnabled {}.into()])
        .when(typed_under(must_change()))
        .then(another_must_be_chosen());
}
