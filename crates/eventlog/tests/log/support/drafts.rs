//! Drafts, and a fold of them.

use sekisho_eventlog::{
    AppendError, Carry, Context, Draft, EventId, Fold, Loaded, Log, Outcome, Receipt, Recorded, StreamId,
    Version, Via,
};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::log::v1::Metadata;
use sekisho_proto::otp::v1::CodeIssued;
use sekisho_service::entropy;
use uuid::Uuid;

/// Counts the events of a stream and mixes where they stand, so that an order, a loss or a repeat shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub count: u64,
    pub mixed: u64,
}

impl Fold for Tally {
    type Event = CodeEvent;
    const VERSION: u32 = 1;

    fn evolve(self, event: &CodeEvent, recorded: &Recorded) -> Self {
        let issue = match event {
            CodeEvent::CodeIssued(issued) => issued.issue,
            _ => 0,
        };
        let mixed = self.mixed.wrapping_mul(31).wrapping_add(issue);
        Self {
            count: self.count + 1,
            mixed: mixed.wrapping_mul(31).wrapping_add(recorded.position.0),
        }
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        let (count, mixed) = bytes.split_at_checked(8)?;
        Some(Self {
            count: u64::from_be_bytes(count.try_into().ok()?),
            mixed: u64::from_be_bytes(mixed.try_into().ok()?),
        })
    }
}

impl Carry for Tally {
    fn carry(&self) -> Vec<u8> {
        [self.count.to_be_bytes(), self.mixed.to_be_bytes()].concat()
    }
}

/// A stream by number.
pub fn stream(number: u128) -> StreamId {
    StreamId(Uuid::from_u128(number))
}

/// A code of this number.
pub fn issued(issue: u64) -> CodeEvent {
    CodeIssued {
        issue,
        ..CodeIssued::default()
    }
    .into()
}

/// An entry for version `expected + 1` of a stream.
pub fn draft(stream: StreamId, expected: u64) -> Draft {
    following(
        &Loaded {
            state: Tally::default(),
            version: Version(expected),
            refolded: false,
        },
        stream,
        &issued(expected),
    )
}

/// An entry that follows a state.
pub fn following<F: Carry<Event = CodeEvent>>(
    loaded: &Loaded<F>,
    stream: StreamId,
    event: &CodeEvent,
) -> Draft {
    let id = EventId(Uuid::from_bytes(entropy::bytes()));
    Draft::following(loaded, stream, id, event, Metadata::default())
}

/// Appends a draft together with others.
pub async fn append(log: &Log, draft: &Draft) -> Result<Outcome, AppendError> {
    log.append(draft.clone(), &Via::Append).await
}

/// The receipt of an outcome that must be one.
pub fn recorded(outcome: Result<Outcome, AppendError>) -> Receipt {
    match outcome {
        Ok(Outcome::Recorded(receipt)) => receipt,
        other => panic!("not recorded: {other:?}"),
    }
}

/// A command on a stream, without a flow.
pub fn context(number: u128) -> Context {
    Context::new(stream(number), None, "test")
}
