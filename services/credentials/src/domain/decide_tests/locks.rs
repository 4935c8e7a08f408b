//! Wrong passwords, locks and known browsers.

use super::*;

#[test]
fn wrong_passwords_count_until_one_is_accepted_or_changed() {
    let wrong = || AccountEvent::from(rejected(1));
    let counted = |events: Vec<AccountEvent>| given(events).account.history.unknown_browsers.counted;
    assert_eq!(counted(vec![registered(), wrong(), wrong()]), 2);
    assert_eq!(
        counted(vec![
            registered(),
            wrong(),
            accepted(1, Vec::new()).into(),
            wrong()
        ]),
        1
    );
    assert_eq!(counted(vec![registered(), wrong(), changed()]), 0);
    assert_eq!(counted(vec![wrong(), wrong(), wrong()]), 3, "a phantom's");
    let account = given([registered(), accepted(1, Vec::new()).into()]).account;
    assert_eq!(account.history.last_accepted_at, Some(recorded(2).recorded_at));
}

#[test]
fn the_tenth_wrong_password_locks_and_tells_for_how_long() {
    let nine = || std::iter::repeat_n(AccountEvent::from(rejected(1)), 9);
    let events = || std::iter::once(registered()).chain(nine());
    let AccountEvent::PasswordRejected(locking) = locking() else {
        unreachable!()
    };
    given(events()).when(typed(Finding::Wrong, 1)).then(locking);
    let again = PasswordRejected {
        repeated: true,
        ..rejected(1)
    };
    given(events()).when(typed(Finding::WrongAgain, 1)).then(again);
}

#[test]
fn while_locked_nothing_is_told_whatever_was_typed() {
    for finding in [Finding::Right, Finding::Wrong, Finding::WrongAgain] {
        // Even of a password that has been replaced: the lock is looked at first.
        for against in [1, 7] {
            given([registered(), locking()])
                .seconds_after(59, 2)
                .when(typed(finding, against))
                .then(refused(Reason::Locked));
        }
    }
    given([registered(), locking()])
        .seconds_after(60, 2)
        .when(typed(Finding::Right, 1))
        .then(accepted(1, SECRET_DIGEST.to_vec()));
    given([locking()])
        .seconds_after(59, 1)
        .when(typed(Finding::Wrong, 0))
        .then(refused(Reason::Locked));
}

#[test]
fn one_refusal_a_minute_is_recorded() {
    let events = || [registered(), locking(), refused(Reason::Locked).into()];
    given(events())
        .seconds_after(20, 3)
        .when(typed(Finding::Right, 1))
        .then_nothing();
    let events = || [registered(), disabled(), refused(Reason::Disabled).into()];
    given(events())
        .seconds_after(59, 3)
        .when(typed(Finding::Right, 1))
        .then_nothing();
    given(events())
        .seconds_after(60, 3)
        .when(typed(Finding::Right, 1))
        .then(refused(Reason::Disabled));
}

#[test]
fn a_known_browser_has_failures_of_its_own() {
    let wrong_there = || PasswordRejected {
        device: vec![8; 32],
        ..rejected(1)
    };
    given([registered(), accepted_there(), locking()])
        .seconds_after(1, 3)
        .when(typed_there(Finding::Wrong, 1))
        .then(wrong_there());
    let locked_there = PasswordRejected {
        device: vec![8; 32],
        closes: true,
        ..rejected(1)
    };
    let events = || [registered(), accepted_there(), locked_there.clone().into()];
    given(events())
        .when(typed_there(Finding::Right, 1))
        .then(refused(Reason::Locked));
    let elsewhere = given(events()).when(typed(Finding::Right, 1)).0;
    assert!(matches!(
        elsewhere,
        Ok(Decision::Record(AccountEvent::PasswordAccepted(accepted))) if !accepted.device_known
    ));
}

#[test]
fn what_a_hundred_failures_closed_a_new_password_opens_and_nothing_else() {
    let closed = |device: Vec<u8>| {
        AccountEvent::from(PasswordRejected {
            device,
            closes: true,
            ..rejected(1)
        })
    };
    for (device, typed) in [
        (Vec::new(), typed as fn(Finding, u64) -> Command),
        (vec![8; 32], typed_there),
    ] {
        let before = [registered(), accepted_there(), closed(device)];
        let with = |event: AccountEvent| given(before.clone().into_iter().chain([event]));
        for event in [AccountUnlocked {}.into(), AccountEnabled {}.into()] {
            let story = with(event).seconds_after(24 * 60 * 60, 4);
            story.when(typed(Finding::Right, 1)).then(refused(Reason::Locked));
        }
        let opened = with(changed()).when(typed(Finding::Right, 4)).0;
        assert!(
            matches!(opened, Ok(Decision::Record(AccountEvent::PasswordAccepted(_)))),
            "{opened:?}"
        );
    }
}

#[test]
fn a_right_password_forgets_the_failures_of_where_it_was_typed() {
    let wrong = || AccountEvent::from(rejected(1));
    let wrong_there = || {
        AccountEvent::from(PasswordRejected {
            device: vec![8; 32],
            ..rejected(1)
        })
    };
    let right_there = PasswordAccepted {
        device: vec![8; 32],
        device_known: true,
        ..accepted(1, Vec::new())
    };
    let before = [registered(), accepted_there(), wrong(), wrong_there()];
    let history = given(before.clone()).account.history;
    assert_eq!(history.unknown_browsers.counted, 1);
    assert_eq!(history.failures(Some(DEVICE)).counted, 1);
    let history = given(before.clone().into_iter().chain([right_there.into()]))
        .account
        .history;
    assert_eq!(history.unknown_browsers.counted, 1);
    assert!(history.failures(Some(DEVICE)).is_clear());
    let history = given(before.into_iter().chain([accepted(1, Vec::new()).into()]))
        .account
        .history;
    assert!(history.unknown_browsers.is_clear());
    assert_eq!(history.failures(Some(DEVICE)).counted, 1);
}

#[test]
fn a_browser_is_known_until_the_next_cut() {
    let known = |events: Vec<AccountEvent>, cuts: Cuts| {
        given(events).account.known_device(Some(DEVICE), cuts).is_some()
    };
    let none = Cuts::default();
    assert!(!known(vec![registered()], none));
    assert!(known(vec![registered(), accepted_there()], none));
    assert!(!known(vec![registered(), accepted_there(), changed()], none));
    assert!(!known(vec![registered(), accepted_there(), disabled()], none));
    let elsewhere = Cuts {
        all: Position(21),
        flows: Position(0),
    };
    assert!(!known(vec![registered(), accepted_there()], elsewhere));
    let set_there = PasswordChanged {
        device: vec![8; 32],
        ..PasswordChanged::default()
    };
    assert!(known(vec![registered(), set_there.into()], none));
}

#[test]
fn an_administrator_ends_locks_but_no_closing() {
    given([registered(), locking()])
        .when(Command::Unlock)
        .then(AccountUnlocked {});
    // It may be about wrong codes, of which this stream knows nothing.
    given([registered()])
        .when(Command::Unlock)
        .then(AccountUnlocked {});
    given([]).when(Command::Unlock).then_rejected(Rejection::Unknown);
    let closing = PasswordRejected {
        closes: true,
        ..rejected(1)
    };
    let closed = given([registered(), closing.into(), AccountUnlocked {}.into()]);
    assert!(closed.account.history.unknown_browsers.closed);
    assert_eq!(closed.account.history.pardon, Position(30));
    let history = given([registered(), locking(), AccountUnlocked {}.into()])
        .account
        .history;
    assert!(history.unknown_browsers.is_clear());
}

/// A stranger who never rests, for a day: each of his passwords another one, typed as soon as nothing refuses it.
#[test]
fn whoever_guesses_for_a_day_never_keeps_the_owners_browser_out() {
    let mut account = given([registered(), accepted_there()]).account;
    let mut number = 3;
    let (mut compared, mut owner) = (0, 0);
    for second in 0..24 * 60 * 60 {
        let now = start() + Duration::seconds(second);
        let commands = [
            typed(Finding::Wrong, account.password().set_by.0),
            typed_there(Finding::Right, account.password().set_by.0),
        ];
        for (command, is_owner) in commands.into_iter().zip([false, true]) {
            if is_owner && second % 600 != 0 {
                continue;
            }
            let decision = decide(&account, now, command).unwrap();
            let Decision::Record(event) = decision else {
                assert!(!is_owner, "the owner was kept out after {second} seconds");
                continue;
            };
            match &event {
                AccountEvent::PasswordRejected(_) => compared += 1,
                AccountEvent::PasswordAccepted(_) => owner += 1,
                other => assert!(!is_owner, "{other:?}"),
            }
            let recorded = Recorded {
                recorded_at: now,
                ..recorded(number)
            };
            account = account.evolve(&event, &recorded);
            number += 1;
        }
    }
    assert_eq!((compared, owner), (81, 144));
}
