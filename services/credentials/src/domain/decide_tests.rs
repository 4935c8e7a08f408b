use proptest::prelude::*;
use sekisho_eventlog::{Carry, Decision, EventId, Fold, Position, Recorded, StreamId, Version};
use sekisho_evidence::{AccountCuts, Cuts, Refusal};
use sekisho_proto::credentials::v1::{
    AccountDisabled, AccountEnabled, AccountRegistered, EmailChanged, PasswordAccepted, PasswordChanged,
    PasswordRejected, PasswordResetRequested, SealedClient, SignInRefused, sign_in_refused::Reason,
};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::to_timestamp;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::*;

const SECRET_DIGEST: [u8; 32] = [7; 32];

fn start() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

/// Entry number `number` of the stream; positions are ten times as large, so that nobody can mix them up.
fn recorded(number: u64) -> Recorded {
    Recorded {
        position: Position(number * 10),
        version: Version(number),
        stream: StreamId(Uuid::from_u128(1)),
        event_id: EventId(Uuid::from_u128(u128::from(number))),
        flow: None,
        recorded_at: start() + Duration::seconds(i64::try_from(number).unwrap()),
    }
}

fn fold<F: Fold<Event = AccountEvent>>(state: F, first: u64, events: &[AccountEvent]) -> F {
    events.iter().zip(first..).fold(state, |state, (event, number)| {
        state.evolve(event, &recorded(number))
    })
}

struct Given(Account);

fn given(events: impl IntoIterator<Item = AccountEvent>) -> Given {
    let events: Vec<_> = events.into_iter().collect();
    Given(fold(Account::default(), 1, &events))
}

impl Given {
    fn when(self, command: Command) -> Then {
        Then(decide(&self.0, command))
    }
}

#[derive(Debug)]
struct Then(Result<Decision<AccountEvent>, Rejection>);

impl Then {
    #[track_caller]
    fn then(self, event: impl Into<AccountEvent>) {
        assert_eq!(self.0, Ok(Decision::Record(event.into())));
    }

    #[track_caller]
    fn then_nothing(self) {
        assert_eq!(self.0, Ok(Decision::Nothing));
    }

    #[track_caller]
    fn then_rejected(self, rejection: Rejection) {
        assert_eq!(self.0, Err(rejection));
    }
}

fn registered() -> AccountEvent {
    AccountRegistered {
        facility_code: "0450000".to_owned(),
    }
    .into()
}

fn changed() -> AccountEvent {
    PasswordChanged::default().into()
}

fn disabled() -> AccountEvent {
    AccountDisabled {}.into()
}

fn client() -> SealedClient {
    SealedClient {
        sealed: vec![1, 2, 3],
        address_tag: vec![4],
    }
}

fn typed(right: bool, against: u64) -> Command {
    Command::VerifyPassword {
        verdict: Verdict {
            right,
            against: Version(against),
        },
        mints: Some(SECRET_DIGEST),
        client: client(),
    }
}

fn set_password() -> Command {
    Command::SetPassword {
        evidence: [Position(20), Position(40)],
        not_after: start(),
    }
}

fn accepted(against: u64, secret_digest: Vec<u8>) -> PasswordAccepted {
    PasswordAccepted {
        secret_digest,
        password_version: against,
        client: Some(client()),
        previous_accepted_at: None,
    }
}

fn rejected(against: u64) -> PasswordRejected {
    PasswordRejected {
        password_version: against,
        client: Some(client()),
    }
}

#[test]
fn a_right_password_mints_a_flow() {
    given([registered()])
        .when(typed(true, 1))
        .then(accepted(1, SECRET_DIGEST.to_vec()));
}

/// For auditors: what a person is shown is the sign-in before.
#[test]
fn a_right_password_names_the_time_before() {
    let mut second = accepted(1, SECRET_DIGEST.to_vec());
    second.previous_accepted_at = Some(to_timestamp(recorded(2).recorded_at));
    given([registered(), accepted(1, Vec::new()).into()])
        .when(typed(true, 1))
        .then(second);
}

#[test]
fn a_right_password_without_an_address_mints_nothing() {
    let command = Command::VerifyPassword {
        verdict: Verdict {
            right: true,
            against: Version(1),
        },
        mints: None,
        client: client(),
    };
    given([registered()]).when(command).then(accepted(1, Vec::new()));
}

#[test]
fn a_wrong_password_is_an_event() {
    given([registered()]).when(typed(false, 1)).then(rejected(1));
}

#[test]
fn a_verdict_about_an_older_password_is_stale() {
    for right in [true, false] {
        given([registered(), changed()])
            .when(typed(right, 1))
            .then_rejected(Rejection::VerdictStale);
    }
    given([registered(), changed()])
        .when(typed(true, 2))
        .then(accepted(2, SECRET_DIGEST.to_vec()));
}

#[test]
fn a_phantom_never_accepts_anything() {
    for right in [true, false] {
        given([]).when(typed(right, 0)).then(rejected(0));
    }
    given([])
        .when(set_password())
        .then_rejected(Rejection::Evidence(Refusal::Missing));
}

#[test]
fn a_disabled_account_is_told_to_who_knows_the_password() {
    given([registered(), disabled()])
        .when(typed(true, 1))
        .then(SignInRefused {
            reason: Reason::Disabled.into(),
            client: Some(client()),
        });
    given([registered(), disabled()])
        .when(typed(false, 1))
        .then(rejected(1));
}

#[test]
fn a_reset_is_minted_alike_in_every_stage() {
    let command = || Command::RequestReset {
        secret_digest: SECRET_DIGEST,
        client: client(),
    };
    let requested = || PasswordResetRequested {
        secret_digest: SECRET_DIGEST.to_vec(),
        client: Some(client()),
    };
    given([]).when(command()).then(requested());
    given([registered()]).when(command()).then(requested());
    given([registered(), disabled()])
        .when(command())
        .then(requested());
}

#[test]
fn a_new_password_names_its_evidence_and_ends_with_it() {
    let decided = given([registered()]).when(set_password()).0.unwrap();
    let event = PasswordChanged {
        evidence: vec![20, 40],
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
fn rejections_are_counted_until_a_password_is_accepted_or_changed() {
    let wrong = || AccountEvent::from(rejected(1));
    let Given(account) = given([registered(), wrong(), wrong()]);
    assert_eq!(account.history().rejected_in_a_row, 2);
    let Given(account) = given([registered(), wrong(), accepted(1, Vec::new()).into(), wrong()]);
    assert_eq!(account.history().rejected_in_a_row, 1);
    assert_eq!(account.history().last_accepted_at, Some(recorded(3).recorded_at));
    let Given(account) = given([registered(), wrong(), changed()]);
    assert_eq!(account.history().rejected_in_a_row, 0);
    let Given(phantom) = given([wrong(), wrong(), wrong()]);
    assert_eq!(phantom.history().rejected_in_a_row, 3);
}

#[test]
fn a_change_and_a_disabling_are_cuts() {
    let Given(account) = given([registered(), changed()]);
    let cut = Cuts {
        all: Position(20),
        flows: Position(0),
    };
    assert_eq!(account.history().cuts, cut);
    let Given(account) = given([registered(), changed(), disabled()]);
    assert_eq!(account.history().cuts.all, Position(30));
}

fn any_event() -> impl Strategy<Value = AccountEvent> {
    prop_oneof![
        Just(registered()),
        Just(accepted(1, SECRET_DIGEST.to_vec()).into()),
        Just(rejected(1).into()),
        Just(SignInRefused::default().into()),
        Just(PasswordResetRequested::default().into()),
        Just(changed()),
        Just(EmailChanged {}.into()),
        Just(disabled()),
        Just(AccountEnabled {}.into()),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Register {
            facility_code: String::new()
        }),
        (any::<bool>(), 0..12_u64).prop_map(|(right, against)| typed(right, against)),
        Just(Command::RequestReset {
            secret_digest: SECRET_DIGEST,
            client: client()
        }),
        Just(set_password()),
        Just(Command::Disable),
        Just(Command::Enable),
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
            let before = account;
            let Ok(Decision::Record(event) | Decision::RecordBefore(event, _)) = decide(&account, command.clone()) else {
                continue;
            };
            number += 1;
            account = account.evolve(&event, &recorded(number));
            if let AccountEvent::PasswordAccepted(_) = event {
                let is_right = matches!(
                    command,
                    Command::VerifyPassword { verdict: Verdict { right: true, against }, .. }
                        if against == before.password()
                );
                let is_enabled = matches!(before, Account::Enabled { .. });
                prop_assert!(is_right && is_enabled);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_state_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Account::resume(&bytes);
    }
}
