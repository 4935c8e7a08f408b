//! What holds whatever happens.

use proptest::prelude::*;

use super::*;

const IDENTITY: Identity = Identity([9; 32]);

fn linked(removed: bool) -> AccountEvent {
    let identity = if removed { Vec::new() } else { IDENTITY.0.to_vec() };
    FederatedIdentityLinked { removed, identity }.into()
}

fn any_event() -> impl Strategy<Value = AccountEvent> {
    prop_oneof![
        any::<bool>().prop_map(registered_as),
        Just(accepted(1, SECRET_DIGEST.to_vec()).into()),
        Just(accepted_there()),
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(there, repeated, closes)| {
            PasswordRejected {
                device: if there { vec![8; 32] } else { Vec::new() },
                repeated,
                closes,
                ..rejected(1)
            }
            .into()
        }),
        Just(locking()),
        Just(SignInRefused::default().into()),
        Just(PasswordResetRequested::default().into()),
        Just(changed()),
        Just(EmailChanged {}.into()),
        "[a-z]?".prop_map(|facility_code| ProfileChanged { facility_code }.into()),
        Just(disabled()),
        Just(AccountEnabled {}.into()),
        Just(AccountUnlocked {}.into()),
        Just(PasswordExpired {}.into()),
        any::<bool>().prop_map(linked),
        Just(FederatedIdentityAccepted::default().into()),
        Just(FederatedIdentityRejected::default().into()),
        Just(AccountErased {}.into()),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Register {
            facility_code: String::new(),
            password_is_initial: true,
            disabled: false,
        }),
        (any::<bool>(), any::<bool>(), 0..12_u64).prop_map(|(right, there, against)| {
            let finding = if right { Finding::Right } else { Finding::Wrong };
            if there {
                typed_there(finding, against)
            } else {
                typed(finding, against)
            }
        }),
        Just(Command::RequestReset {
            secret_digest: SECRET_DIGEST,
            client: client(),
            device: Some(DEVICE),
            cuts: Cuts::default(),
        }),
        Just(set_password()),
        Just(Command::Disable),
        Just(Command::Enable),
        Just(Command::Unlock),
        Just(Command::ChangeAddress),
        "[a-z]?".prop_map(|facility_code| Command::ChangeProfile { facility_code }),
        Just(Command::ExpirePassword),
        any::<bool>().prop_map(|is_linked| Command::LinkIdentity(is_linked.then_some(IDENTITY))),
        any::<bool>().prop_map(|has_second_factor| Command::AcceptIdentity(Vouched {
            secret_digest: SECRET_DIGEST,
            linked: Some(IDENTITY),
            has_second_factor,
            authenticated_at: start(),
            client: client(),
        })),
        Just(Command::Erase),
    ]
}

proptest! {
    #[test]
    fn carried_state_equals_the_fold_of_everything(
        before in prop::collection::vec(any_event(), 0..40),
        after in prop::collection::vec(any_event(), 0..40),
    ) {
        let next = u64::try_from(before.len()).unwrap() + 1;
        let carried = fold(Account::default(), 1, &before).carry();
        let whole: Vec<_> = before.iter().chain(&after).cloned().collect();

        let resumed = Account::resume(&carried).unwrap();
        prop_assert_eq!(fold(resumed, next, &after), fold(Account::default(), 1, &whole));

        let cuts = AccountCuts::resume(&carried).unwrap();
        prop_assert_eq!(fold(cuts, next, &after), fold(AccountCuts::default(), 1, &whole));
    }

    #[test]
    fn nobody_is_accepted_but_by_a_right_verdict_on_the_current_password_of_an_enabled_account(
        commands in prop::collection::vec(any_command(), 0..60),
    ) {
        let mut account = Account::default();
        let mut number = 0;
        for command in commands {
            let before = account.clone();
            let now = recorded(number + 1).recorded_at;
            let Ok(Decision::Record(event) | Decision::RecordBefore(event, _)) =
                decide(&account, now, command.clone())
            else {
                continue;
            };
            number += 1;
            account = account.evolve(&event, &recorded(number));
            if let AccountEvent::PasswordAccepted(_) = event {
                let Command::VerifyPassword(comparison) = command else {
                    return Err(TestCaseError::fail("accepted by another command"));
                };
                let verdict = comparison.verdict;
                prop_assert!(verdict.finding == Finding::Right && verdict.against == before.password().set_by);
                let is_enabled = matches!(before.stage, Stage::Enabled { .. });
                prop_assert!(is_enabled && !before.is_locked(now, &comparison));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_state_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Account::resume(&bytes);
    }
}
