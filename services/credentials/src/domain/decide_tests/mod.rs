//! Rules as sentences: given what stands in the log, when something is asked, then this is recorded.

mod administration;
mod initial;
mod locks;
mod properties;
mod sign_in;

use sekisho_eventlog::{Carry, Decision, EventId, Fold, Position, Recorded, StreamId, Version};
use sekisho_evidence::{AccountCuts, Cuts, Refusal};
use sekisho_proto::credentials::v1::{
    AccountDisabled, AccountEnabled, AccountErased, AccountRegistered, AccountUnlocked, EmailChanged,
    FederatedIdentityAccepted, FederatedIdentityLinked, FederatedIdentityRejected, PasswordAccepted,
    PasswordChanged, PasswordExpired, PasswordRejected, PasswordResetRequested, ProfileChanged, SealedClient,
    SignInRefused, sign_in_refused::Reason,
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
    registered_as(false)
}

fn registered_as(password_is_initial: bool) -> AccountEvent {
    AccountRegistered {
        facility_code: "0450000".to_owned(),
        password_is_initial,
        disabled: false,
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
        initial_passwords: InitialPasswords::default(),
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
