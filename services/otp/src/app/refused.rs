//! Why a use case has no result.

use sekisho_eventlog::{DecideError, ReadError};
use sekisho_evidence::Refusal;
use sekisho_proto::EventError;

use crate::code::{KeyMissing, Malformed};
use crate::domain::Rejection;

/// Why a use case has no result. [`Refused::reason`] is stable and has a page in `docs/errors`.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The flow opens nothing.
    #[error("the flow opens nothing")]
    Flow(#[from] Refusal),
    /// The rules of codes say no.
    #[error("the rules of codes say no")]
    Code(#[from] Rejection),
    /// What was typed is no code.
    #[error("what was typed is no code")]
    Malformed(#[from] Malformed),
    /// A live code's key is not in this process's key file.
    #[error("a code cannot be derived")]
    KeyMissing(#[from] KeyMissing),
    /// The log's queue in this process is full.
    #[error("too many entries wait to be appended")]
    Busy,
    /// The log cannot be reached, or is not connected yet.
    #[error("the log cannot be reached")]
    Unavailable,
    /// The log refuses the entry, or holds one that this version does not understand.
    #[error("this version and the log do not fit together")]
    Mismatch(#[source] Option<EventError>),
}

impl Refused {
    /// The reason as it travels in `google.rpc.ErrorInfo`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Flow(refusal) => refusal.reason(),
            Self::Code(rejection) => rejection.reason(),
            Self::Malformed(_) => "OTP_CODE_MALFORMED",
            Self::KeyMissing(_) => "OTP_KEY_MISSING",
            Self::Busy => "LOG_BUSY",
            Self::Unavailable => "LOG_UNAVAILABLE",
            Self::Mismatch(_) => "LOG_MISMATCH",
        }
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) | ReadError::Behind(_) => Self::Unavailable,
            ReadError::Unknown(error) => error.into(),
        }
    }
}

impl From<EventError> for Refused {
    fn from(error: EventError) -> Self {
        Self::Mismatch(Some(error))
    }
}

impl From<DecideError<Self>> for Refused {
    fn from(error: DecideError<Self>) -> Self {
        match error {
            DecideError::Rejected(refused) => refused,
            DecideError::Expired => Rejection::Expired.into(),
            DecideError::Busy => Self::Busy,
            DecideError::Unavailable => Self::Unavailable,
            DecideError::Refused => Self::Mismatch(None),
            DecideError::Unknown(error) => error.into(),
        }
    }
}
