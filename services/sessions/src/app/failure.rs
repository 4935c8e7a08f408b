//! Why a use case has no answer.

use sekisho_eventlog::{DecideError, ReadError};
use sekisho_evidence::Refusal;
use sekisho_proto::EventError;

use crate::domain::Why;

/// Why a use case has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The flow opens nothing.
    #[error("the flow opens no session")]
    Flow(Refusal),
    /// The session is over.
    #[error("the session is over")]
    Over(Why),
    /// No session has this token, or none that is remembered.
    #[error("no such session")]
    Unknown,
    /// Nobody has this account id.
    #[error("no such account")]
    AccountUnknown,
    /// This replica cannot say whether what it knows is still true.
    #[error("the newest entries of the log cannot be read")]
    Unconfirmed,
    /// The log did not answer. What was asked for may or may not stand in it.
    #[error("the log cannot be reached")]
    Unavailable,
    /// Too many entries wait to be appended. Nothing was written.
    #[error("too many entries wait to be appended")]
    Busy,
    /// A mistake in this program, its rights or its version.
    #[error("an internal error")]
    Internal,
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) | ReadError::Behind(_) => Self::Unavailable,
            ReadError::Unknown(error) => error.into(),
        }
    }
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        tracing::error!(%error, "an entry that this version does not understand");
        Self::Internal
    }
}

impl From<DecideError<Self>> for Failure {
    fn from(error: DecideError<Self>) -> Self {
        match error {
            DecideError::Rejected(failure) => failure,
            DecideError::Expired => Self::Flow(Refusal::Old),
            DecideError::Busy => Self::Busy,
            DecideError::Unavailable => Self::Unavailable,
            DecideError::Refused => {
                tracing::error!("the log refuses an entry of kind session");
                Self::Internal
            }
            DecideError::Unknown(error) => error.into(),
        }
    }
}
