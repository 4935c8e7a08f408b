//! Entries as they stand in the log.

use prost::Message;
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_proto::{Event, EventError, Kind};
use time::OffsetDateTime;

use crate::ids::{EventId, FlowId, Position, StreamId, Version};

/// Where and when an event was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// In the log.
    pub position: Position,
    /// In its stream.
    pub version: Version,
    /// The stream.
    pub stream: StreamId,
    /// The event's id.
    pub event_id: EventId,
    /// The flow that it belongs to.
    pub flow: Option<FlowId>,
    /// By the log's clock; never earlier than the entry before.
    pub recorded_at: OffsetDateTime,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where and when.
    pub recorded: Recorded,
    /// The kind of the stream.
    pub kind: Kind,
    /// The event's name, in `snake_case`.
    pub event_type: String,
    /// The event, and in every 64th entry the state before it; `None` for bytes that are none.
    pub payload: Option<Payload>,
    stored: Stored,
}

/// The columns `payload` and `metadata` as they stand in the log. What is decoded from them may know less: fields of a
/// newer version are lost on the way, and a hash is of the bytes.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    payload: Vec<u8>,
    metadata: Vec<u8>,
}

impl Entry {
    /// An entry as this version would write it; for tests of what reads entries.
    pub fn new(
        recorded: Recorded,
        kind: Kind,
        event_type: String,
        payload: Payload,
        metadata: &Metadata,
    ) -> Self {
        let stored = Stored {
            payload: payload.encode_to_vec(),
            metadata: metadata.encode_to_vec(),
        };
        Self {
            recorded,
            kind,
            event_type,
            payload: Some(payload),
            stored,
        }
    }

    /// Who acted, and the trace; empty for bytes that are none. Decoded when asked for: a fold seldom does.
    pub fn metadata(&self) -> Metadata {
        Metadata::decode(self.stored.metadata.as_slice()).unwrap_or_default()
    }

    /// The bytes of the columns `payload` and `metadata`.
    pub(crate) fn stored(&self) -> (&[u8], &[u8]) {
        (&self.stored.payload, &self.stored.metadata)
    }

    /// The event.
    ///
    /// # Errors
    /// [`EventError`] when the entry is of another kind, of a newer version or damaged.
    pub fn event<E: Event>(&self) -> Result<E, EventError> {
        if self.kind != E::KIND {
            return Err(EventError::UnknownType {
                kind: self.kind,
                event_type: self.event_type.clone(),
            });
        }
        let Some(payload) = &self.payload else {
            return Err(EventError::Damaged {
                event_type: self.event_type.clone(),
            });
        };
        E::decode(&self.event_type, &payload.event)
    }
}

/// A row of `log.entry`, still in SQL's types.
pub(crate) struct Row {
    pub position: i64,
    pub kind: String,
    pub stream_id: uuid::Uuid,
    pub version: i64,
    pub event_id: uuid::Uuid,
    pub flow_id: Option<uuid::Uuid>,
    pub event_type: String,
    pub recorded_at: OffsetDateTime,
    pub payload: Vec<u8>,
    pub metadata: Vec<u8>,
}

impl TryFrom<Row> for Entry {
    type Error = EventError;

    /// Fails only for a kind that this version does not know: what is damaged in one entry must hold up nobody who does
    /// not ask for its event.
    fn try_from(row: Row) -> Result<Self, EventError> {
        Ok(Self {
            recorded: Recorded {
                position: Position::from_sql(row.position),
                version: Version::from_sql(row.version),
                stream: StreamId(row.stream_id),
                event_id: EventId(row.event_id),
                flow: row.flow_id.map(FlowId),
                recorded_at: row.recorded_at,
            },
            kind: row.kind.parse()?,
            event_type: row.event_type,
            payload: Payload::decode(row.payload.as_slice()).ok(),
            stored: Stored {
                payload: row.payload,
                metadata: row.metadata,
            },
        })
    }
}
