use proptest::prelude::*;
use sekisho_eventlog::{Carry, Decision, EventId, Fold, Position, Recorded, StreamId, Version};
use sekisho_evidence::{AccountCuts, Cuts, Refusal};
use sekisho_proto::credentials::v1::{
    AccountDisabled, AccountEnabled, AccountRegistered, AccountUnlocked, EmailChanged, PasswordAccepted,
    PasswordChanged, PasswordRejected, PasswordResetRequested, SealedClient, SignInRefused,
    sign_in_refused::Reason,
};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::to_timestamp;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::*;

const SECRET_DIGEST: [u8; 32] = [7; 32];
const DEVICE: Device = Device([8; 32]);

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

struct Given {
    account: Account,
    /// When the next command is decided: at first a day after everything.
    now: OffsetDateTime,
}

fn given(events: impl IntoIterator<Item = AccountEvent>) -> Given {
    let events: Vec<_> = events.into_iter().collect();
    Given {
        account: fold(Account::default(), 1, &events),
        now: start() + Duration::days(1),
    }
}

impl Given {
    /// So many seconds after the entry with that number.
    fn seconds_after(self, seconds: i64, number: u64) -> Self {
        let now = recorded(number).recorded_at + Duration::seconds(seconds);
        Self { now, ..self }
    }

    fn when(self, command: Command) -> Then {
        Then(decide(&self.account, self.now, command))
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

fn comparison(finding: Finding, against: u64) -> Comparison {
    Comparison {
        verdict: Verdict {
            finding,
            against: Version(against),
        },
        mints: Some(SECRET_DIGEST),
        client: client(),
        device: None,
        cuts: Cuts::default(),
        lockout: Lockout::default(),
    }
}

fn typed(finding: Finding, against: u64) -> Command {
    Command::VerifyPassword(comparison(finding, against))
}

/// In the browser of `DEVICE`.
fn typed_there(finding: Finding, against: u64) -> Command {
    Command::VerifyPassword(Comparison {
        device: Some(DEVICE),
        ..comparison(finding, against)
    })
}

fn set_password() -> Command {
    Command::SetPassword {
        evidence: [Position(20), Position(40)],
        not_after: start(),
        device: Some(DEVICE),
    }
}

fn accepted(against: u64, secret_digest: Vec<u8>) -> PasswordAccepted {
    PasswordAccepted {
        secret_digest,
        password_version: against,
        client: Some(client()),
        ..PasswordAccepted::default()
    }
}

fn accepted_there() -> AccountEvent {
    PasswordAccepted {
        device: vec![8; 32],
        ..accepted(1, Vec::new())
    }
    .into()
}

fn rejected(against: u64) -> PasswordRejected {
    PasswordRejected {
        password_version: against,
        client: Some(client()),
        ..PasswordRejected::default()
    }
}

fn refused(reason: Reason) -> SignInRefused {
    SignInRefused {
        reason: reason.into(),
        client: Some(client()),
    }
}

/// Locks for a minute.
fn locking() -> AccountEvent {
    PasswordRejected {
        lock: Some(prost_types::Duration {
            seconds: 60,
            nanos: 0,
        }),
        ..rejected(1)
    }
    .into()
}

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
fn wrong_passwords_count_until_one_is_accepted_or_changed() {
    let wrong = || AccountEvent::from(rejected(1));
    let counted = |events: Vec<AccountEvent>| given(events).account.history.elsewhere.counted;
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
    assert_eq!(history.elsewhere.counted, 1);
    assert_eq!(history.failures(Some(DEVICE)).counted, 1);
    let history = given(before.clone().into_iter().chain([right_there.into()]))
        .account
        .history;
    assert_eq!(history.elsewhere.counted, 1);
    assert!(history.failures(Some(DEVICE)).is_clear());
    let history = given(before.into_iter().chain([accepted(1, Vec::new()).into()]))
        .account
        .history;
    assert!(history.elsewhere.is_clear());
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
fn an_administrator_ends_locks_once() {
    given([registered(), locking()])
        .when(Command::Unlock)
        .then(AccountUnlocked {});
    given([registered()]).when(Command::Unlock).then_nothing();
    given([]).when(Command::Unlock).then_rejected(Rejection::Unknown);
    let closing = PasswordRejected {
        closes: true,
        ..rejected(1)
    };
    given([registered(), closing.into()])
        .when(Command::Unlock)
        .then_nothing();
    let history = given([registered(), locking(), AccountUnlocked {}.into()])
        .account
        .history;
    assert!(history.elsewhere.is_clear());
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
            typed(Finding::Wrong, account.password().0),
            typed_there(Finding::Right, account.password().0),
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

fn any_event() -> impl Strategy<Value = AccountEvent> {
    prop_oneof![
        Just(registered()),
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
        Just(disabled()),
        Just(AccountEnabled {}.into()),
        Just(AccountUnlocked {}.into()),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Register {
            facility_code: String::new()
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
            client: client()
        }),
        Just(set_password()),
        Just(Command::Disable),
        Just(Command::Enable),
        Just(Command::Unlock),
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
                prop_assert!(verdict.finding == Finding::Right && verdict.against == before.password());
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
