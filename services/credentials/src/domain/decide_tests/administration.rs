//! Registration, resets, new passwords, disabling.

use super::*;

#[test]
fn a_reset_is_minted_alike_in_every_stage() {
    let command = || Command::RequestReset {
        secret_digest: SECRET_DIGEST,
        client: client(),
        device: Some(DEVICE),
        cuts: Cuts::default(),
    };
    let requested = || PasswordResetRequested {
        secret_digest: SECRET_DIGEST.to_vec(),
        client: Some(client()),
        password_version: 0,
        device_known: false,
    };
    given([]).when(command()).then(requested());
    given([registered()]).when(command()).then(requested());
    given([registered(), disabled()])
        .when(command())
        .then(requested());
    let known = PasswordResetRequested {
        device_known: true,
        ..requested()
    };
    given([registered(), accepted_there()])
        .when(command())
        .then(known);
}

#[test]
fn a_new_password_names_its_evidence_and_ends_with_it() {
    let decided = given([registered()]).when(set_password()).0.unwrap();
    let event = PasswordChanged {
        evidence: vec![20, 40],
        device: vec![8; 32],
    };
    assert_eq!(decided, Decision::RecordBefore(event.into(), start()));
}

#[test]
fn a_disabled_account_gets_no_new_password() {
    given([registered(), disabled()])
        .when(set_password())
        .then_rejected(Rejection::Disabled);
}

#[test]
fn an_account_is_registered_once() {
    let command = || Command::Register {
        facility_code: "0450000".to_owned(),
        password_is_initial: false,
        disabled: false,
    };
    given([]).when(command()).then(registered());
    given([registered()])
        .when(command())
        .then_rejected(Rejection::Exists);
    given([registered(), disabled()])
        .when(command())
        .then_rejected(Rejection::Exists);
}

#[test]
fn disabling_and_enabling_twice_changes_nothing() {
    given([registered()])
        .when(Command::Disable)
        .then(AccountDisabled {});
    given([registered(), disabled()])
        .when(Command::Disable)
        .then_nothing();
    given([registered(), disabled()])
        .when(Command::Enable)
        .then(AccountEnabled {});
    given([registered()]).when(Command::Enable).then_nothing();
    given([]).when(Command::Disable).then_rejected(Rejection::Unknown);
    given([]).when(Command::Enable).then_rejected(Rejection::Unknown);
}

#[test]
fn a_change_and_a_disabling_are_cuts() {
    let account = given([registered(), changed()]).account;
    let cut = Cuts {
        all: Position(20),
        flows: Position(0),
    };
    assert_eq!(account.history.cuts, cut);
    let account = given([registered(), changed(), disabled()]).account;
    assert_eq!(account.history.cuts.all, Position(30));
}

#[test]
fn a_new_address_ends_flows_and_no_session() {
    given([registered()])
        .when(Command::ChangeAddress)
        .then(EmailChanged {});
    given([])
        .when(Command::ChangeAddress)
        .then_rejected(Rejection::Unknown);
    let account = given([registered(), EmailChanged {}.into()]).account;
    let cut = Cuts {
        all: Position(0),
        flows: Position(20),
    };
    assert_eq!(account.history.cuts, cut);
}

#[test]
fn another_facility_ends_everything_and_another_name_nothing() {
    let change = |facility_code: &str| Command::ChangeProfile {
        facility_code: facility_code.to_owned(),
    };
    let changed = |facility_code: &str| ProfileChanged {
        facility_code: facility_code.to_owned(),
    };
    given([registered()])
        .when(change("0460000"))
        .then(changed("0460000"));
    given([registered(), disabled()])
        .when(change(""))
        .then(changed(""));
    given([]).when(change("")).then_rejected(Rejection::Unknown);

    let moved = given([registered(), accepted_there(), changed("0460000").into()]).account;
    assert_eq!(moved.history.cuts.all, Position(30));
    assert_eq!(moved.known_device(Some(DEVICE), Cuts::default()), None);
    let renamed = given([registered(), accepted_there(), changed("").into()]).account;
    assert_eq!(renamed.history.cuts, Cuts::default());
    assert_eq!(renamed.known_device(Some(DEVICE), Cuts::default()), Some(DEVICE));
}

#[test]
fn a_password_that_is_used_up_opens_the_choice_of_another_one_and_cuts() {
    let expired = || AccountEvent::from(PasswordExpired {});
    given([registered()])
        .when(Command::ExpirePassword)
        .then(PasswordExpired {});
    given([registered(), expired()])
        .when(Command::ExpirePassword)
        .then_nothing();
    given([])
        .when(Command::ExpirePassword)
        .then_rejected(Rejection::Unknown);
    let another = PasswordResetRequested {
        secret_digest: SECRET_DIGEST.to_vec(),
        client: Some(client()),
        password_version: 1,
        device_known: false,
    };
    given([registered(), expired()])
        .when(typed(Finding::Right, 1))
        .then(another);
    given([registered(), expired(), changed()])
        .when(typed(Finding::Right, 3))
        .then(accepted(3, SECRET_DIGEST.to_vec()));
    let history = given([registered(), accepted_there(), expired()]).account;
    assert_eq!(history.history.cuts.all, Position(30));
    assert_eq!(history.known_device(Some(DEVICE), Cuts::default()), None);
}

#[test]
fn of_an_erased_account_nothing_is_left_to_decide() {
    let erased = || given([registered(), accepted_there(), AccountErased {}.into()]);
    given([registered()]).when(Command::Erase).then(AccountErased {});
    given([registered(), disabled()])
        .when(Command::Erase)
        .then(AccountErased {});
    for command in [
        Command::Erase,
        Command::Enable,
        Command::Disable,
        Command::Unlock,
        Command::ChangeAddress,
        Command::ChangeProfile {
            facility_code: "0460000".to_owned(),
        },
        Command::ExpirePassword,
    ] {
        erased().when(command).then_rejected(Rejection::Unknown);
    }
    // Whoever compared before it was erased looks the login id up again, and finds a phantom.
    erased()
        .when(typed(Finding::Right, 1))
        .then_rejected(Rejection::VerdictStale);
    erased()
        .when(set_password())
        .then_rejected(Rejection::Evidence(Refusal::Missing));
    assert_eq!(erased().account.history.cuts.all, Position(30));
}
