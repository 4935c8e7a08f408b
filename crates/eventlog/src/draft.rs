//! An entry before it is appended.

use std::sync::Arc;

use prost::Message;
use sekisho_proto::log::v1::{Carried, Metadata, Payload};
use sekisho_proto::{Event, Kind};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::append::AppendError;
use crate::fold::{Carry, Loaded};
use crate::ids::{EventId, FlowId, StreamId, Version};

/// Every entry whose version is a multiple of this carries the state before it.
pub const CARRY_EVERY: u64 = 64;

/// Payload and metadata of one entry, at most; `log.append` refuses more.
const BYTES: usize = 8192;
/// The length of an event type, at most; `log.append` refuses more.
const NAME: usize = 63;

/// An entry that is to be appended at an expected version.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The kind of the stream.
    pub kind: Kind,
    /// The stream.
    pub stream: StreamId,
    /// The version of the stream before this entry.
    pub expected: Version,
    /// The event's id; a draft that is submitted again keeps it.
    pub event_id: EventId,
    /// The flow that it belongs to.
    pub flow: Option<FlowId>,
    /// The event's name.
    pub event_type: &'static str,
    /// The event and perhaps the carried state.
    pub payload: Payload,
    /// Who acts, and the trace.
    pub metadata: Metadata,
    /// The append is refused as expired after this moment.
    pub not_after: Option<OffsetDateTime>,
}

impl Draft {
    /// The draft of an event that follows a loaded state. A state that is too large to be carried stays out: the
    /// entry that follows 64 versions later tries again.
    pub fn following<F: Carry>(
        loaded: &Loaded<F>,
        stream: StreamId,
        event_id: EventId,
        event: &F::Event,
        metadata: Metadata,
    ) -> Self {
        let draft = Self {
            kind: F::Event::KIND,
            stream,
            expected: loaded.version,
            event_id,
            flow: None,
            event_type: event.event_type(),
            payload: Payload {
                event: event.encode(),
                carried: None,
            },
            metadata,
            not_after: None,
        };
        if loaded.refolded || loaded.version.next().0.is_multiple_of(CARRY_EVERY) {
            draft.carrying(&loaded.state)
        } else {
            draft
        }
    }

    fn carrying<F: Carry>(mut self, state: &F) -> Self {
        self.payload.carried = Some(Carried {
            fold_version: F::VERSION,
            state: state.carry(),
        });
        if self.bytes() > BYTES {
            tracing::warn!(kind = %self.kind, bytes = self.bytes(), "state too large to be carried");
            self.payload.carried = None;
        }
        self
    }

    /// What `log.append` would refuse is refused here, so that it never travels with the entries of others.
    pub(crate) fn check(&self) -> Result<(), AppendError> {
        let mut letters = self.event_type.chars();
        let named = letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && self.event_type.len() <= NAME;
        if named && self.bytes() <= BYTES {
            Ok(())
        } else {
            Err(AppendError::Refused)
        }
    }

    fn bytes(&self) -> usize {
        self.payload.encoded_len() + self.metadata.encoded_len()
    }

    /// The bytes of the column `payload`.
    pub(crate) fn payload_bytes(&self) -> Vec<u8> {
        self.payload.encode_to_vec()
    }

    /// The bytes of the column `metadata`.
    pub(crate) fn metadata_bytes(&self) -> Vec<u8> {
        self.metadata.encode_to_vec()
    }
}

/// How a decision reaches the log.
#[derive(Debug, Clone, Default)]
pub enum Via {
    /// By the append function, together with what else waits.
    #[default]
    Append,
    /// By a combined function, which changes a table and appends in one statement.
    Function {
        /// Schema and name, such as `credentials.set_password`.
        name: &'static str,
        /// What it takes after the draft and the known head.
        arguments: Arc<[Argument]>,
        /// Committed together with other such calls that wait. Only for a function that waits for no row which somebody else
        /// may hold: the log's lock is held meanwhile.
        grouped: bool,
    },
}

/// A value for a combined function: a hash, a name, an address. Never printed.
#[derive(Clone)]
pub enum Argument {
    /// `uuid`
    Uuid(Uuid),
    /// `bytea`
    Bytes(Vec<u8>),
    /// `text`; travels as hexadecimal digits.
    Text(String),
    /// `bigint`
    Number(i64),
}

impl std::fmt::Debug for Argument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_combined_function_takes_is_never_printed() {
        let via = Via::Function {
            name: "credentials.set_password",
            arguments: Arc::new([Argument::Text("canary".to_owned())]),
            grouped: false,
        };
        assert!(!format!("{via:?}").contains("canary"));
    }
}
