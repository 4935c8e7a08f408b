//! Entries and folds for the tests of the domain: given these events, when this command, then this.

use sekisho_eventlog::{Decision, Entry, EventId, FlowId, Fold, Position, Recorded, StreamId, Version};
use sekisho_evidence::{Mint, Minted, Proof, Refusal};
use sekisho_proto::Event;
use sekisho_proto::events::SessionEvent;
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_proto::sessions::v1::{SessionEnded, SessionExtended, SessionStarted, SessionsCut};
use sekisho_proto::to_timestamp;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{AccountSessions, Command, Limits, Rejection, SessionId, Start, TokenDigest, Why, decide};

pub const LIMITS: Limits = Limits {
    idle: Duration::minutes(30),
    absolute: Duration::hours(12),
    stale: Duration::minutes(30),
};

pub fn start_of_time() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

pub fn account(number: u8) -> StreamId {
    StreamId(Uuid::from_u128(u128::from(number)))
}

pub fn flow(number: u8) -> FlowId {
    FlowId(Uuid::from_u128(1_000 + u128::from(number)))
}

pub fn session(number: u8) -> SessionId {
    SessionId(Uuid::from_u128(2_000 + u128::from(number)))
}

pub fn token(number: u8) -> TokenDigest {
    TokenDigest([number; 32])
}

/// Session `number` of flow `number`, minted at a position.
pub fn started(number: u8, minted: u64) -> SessionEvent {
    SessionStarted {
        session_id: session(number).to_vec(),
        token_digest: token(number).0.to_vec(),
        minted,
        evidence: vec![minted, minted + 1],
        ended: Vec::new(),
        previous_started_at: None,
        device: Vec::new(),
        new_device: false,
    }
    .into()
}

pub fn ended(number: u8, why: Why) -> SessionEvent {
    SessionEnded {
        session_ids: vec![session(number).to_vec()],
        why: why.to_proto().into(),
    }
    .into()
}

pub fn extended(number: u8, active_at: OffsetDateTime) -> SessionEvent {
    SessionExtended {
        session_id: session(number).to_vec(),
        active_at: Some(to_timestamp(active_at)),
    }
    .into()
}

pub fn cut() -> SessionEvent {
    SessionsCut {}.into()
}

/// Where an event stands: entry `position` of account 1, one second per position.
pub fn recorded(position: u64, flow: Option<FlowId>) -> Recorded {
    Recorded {
        position: Position(position),
        version: Version(position),
        stream: account(1),
        event_id: EventId(Uuid::from_u128(u128::from(position))),
        flow,
        recorded_at: start_of_time() + Duration::seconds(i64::try_from(position).unwrap()),
    }
}

pub fn entry<E: Event>(recorded: Recorded, event: &E) -> Entry {
    let payload = Payload {
        event: event.encode(),
        carried: None,
    };
    let event_type = event.event_type().to_owned();
    Entry::new(recorded, E::KIND, event_type, payload, &Metadata::default())
}

/// The flow of a test's event: session `n` comes of flow `n`.
pub fn flow_of(event: &SessionEvent) -> Option<FlowId> {
    match event {
        SessionEvent::SessionStarted(started) => {
            let id = SessionId::try_from(started.session_id.as_slice()).ok()?;
            let number = u8::try_from(id.0.as_u128() - 2_000).ok()?;
            Some(flow(number))
        }
        SessionEvent::SessionExtended(_) | SessionEvent::SessionEnded(_) | SessionEvent::SessionsCut(_) => {
            None
        }
    }
}

/// A command to start session `number` of flow `number`, minted at a position, its code accepted one second later.
pub fn start(number: u8, minted: u64) -> Command {
    Command::Start(Box::new(Start {
        minted: Minted {
            proved: true,
            device: None,
            flow: flow(number),
            mint: Mint::SignIn,
            account: account(1),
            position: Position(minted),
            at: recorded(minted, None).recorded_at,
            secret_digest: [0; 32],
        },
        proof: Proof {
            position: Position(minted + 1),
            at: recorded(minted + 1, None).recorded_at,
        },
        token: token(number),
        session: session(number),
        now: recorded(minted + 1, None).recorded_at,
        limits: LIMITS,
    }))
}

/// Events that have happened: entries 100, 101 … of account 1.
pub fn given(events: impl IntoIterator<Item = SessionEvent>) -> Given {
    let state = events
        .into_iter()
        .zip(100..)
        .fold(AccountSessions::default(), |state, (event, position)| {
            state.evolve(&event, &recorded(position, flow_of(&event)))
        });
    Given(state)
}

pub struct Given(pub AccountSessions);

pub struct Then(pub Result<Decision<SessionEvent>, Rejection>);

impl Given {
    pub fn when(self, command: &Command) -> Then {
        Then(decide(&self.0, command))
    }
}

impl Then {
    #[track_caller]
    pub fn then(self, event: &SessionEvent) {
        match self.0 {
            Ok(Decision::Record(decided) | Decision::RecordBefore(decided, _)) => assert_eq!(&decided, event),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub fn then_nothing(self) {
        assert_eq!(self.0, Ok(Decision::Nothing));
    }

    #[track_caller]
    pub fn then_refused(self, refusal: Refusal) {
        assert_eq!(self.0, Err(Rejection::Flow(refusal)));
    }

    #[track_caller]
    pub fn then_over(self) {
        assert_eq!(self.0, Err(Rejection::Over));
    }
}
