//! What makes a message an event of the log.

use std::fmt;
use std::str::FromStr;

/// A family of streams. Each kind is written by one service only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Accounts and passwords; the stream is the account id or a phantom id.
    Account,
    /// What was refused without a comparison; the stream is a hashed address.
    Client,
    /// Codes by mail; the stream is the account id.
    Code,
    /// Sessions; the stream is the account id.
    Session,
    /// The installation as a whole.
    System,
    /// What auditors looked at; the stream is the auditor.
    Audit,
}

impl Kind {
    /// All kinds, in the order of their names in the log.
    pub const ALL: [Self; 6] = [
        Self::Account,
        Self::Audit,
        Self::Client,
        Self::Code,
        Self::Session,
        Self::System,
    ];

    /// The name in the log and in NATS subjects.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Client => "client",
            Self::Code => "code",
            Self::Session => "session",
            Self::System => "system",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = EventError;

    fn from_str(name: &str) -> Result<Self, EventError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| EventError::UnknownKind(name.to_owned()))
    }
}

/// The events of one kind.
pub trait Event: Sized + Clone + fmt::Debug + Send + Sync + 'static {
    /// The kind whose streams hold these events.
    const KIND: Kind;

    /// The name in the log and in NATS subjects: the message's name in `snake_case`.
    fn event_type(&self) -> &'static str;

    /// The protobuf bytes.
    fn encode(&self) -> Vec<u8>;

    /// Reads an event back.
    ///
    /// # Errors
    /// [`EventError::UnknownType`] for an event of a newer version, [`EventError::Damaged`] for bytes that are none.
    fn decode(event_type: &str, bytes: &[u8]) -> Result<Self, EventError>;
}

/// Why bytes of the log are not an event that this version knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A kind that this version does not know.
    #[error("unknown kind {0:?}")]
    UnknownKind(String),
    /// An event type that this version does not know. A fold that decides stops here.
    #[error("unknown event type {event_type:?} of kind {kind}")]
    UnknownType {
        /// The kind of the stream.
        kind: Kind,
        /// The type as it stands in the log.
        event_type: String,
    },
    /// The bytes do not decode.
    #[error("damaged event of type {event_type:?}")]
    Damaged {
        /// The type as it stands in the log.
        event_type: String,
    },
}
