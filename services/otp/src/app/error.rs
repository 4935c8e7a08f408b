//! Why a use case has no result.

use sekisho_eventlog::{DecideError, LogFault, ReadError};
use sekisho_evidence::Refusal;
use sekisho_proto::EventError;
use sekisho_proto::refusal::{Class, Refuse};

use crate::code::{KeyMissing, Malformed};
use crate::domain::Rejection;

/// Why a use case has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The flow opens nothing.
    #[error(transparent)]
    Flow(#[from] Refusal),
    /// The rules of codes say no.
    #[error(transparent)]
    Code(#[from] Rejection),
    /// What was typed is no code.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A live code's key is not in this process's key file.
    #[error("a code cannot be derived")]
    KeyMissing(#[from] KeyMissing),
    /// The log gave no answer.
    #[error(transparent)]
    Log(LogFault),
    /// A mistake in this program.
    #[error("an internal error")]
    Internal,
}

impl Refuse for Error {
    fn class(&self) -> Class {
        match self {
            Self::Flow(refusal) => refusal.class(),
            Self::Code(rejection) => rejection.class(),
            Self::Malformed(_) => Class::Malformed,
            // Another replica may have the key already.
            Self::KeyMissing(_) => Class::Unavailable,
            Self::Log(fault) => fault.class(),
            Self::Internal => Class::Fault,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Flow(refusal) => refusal.reason(),
            Self::Code(rejection) => rejection.reason(),
            Self::Malformed(_) => "OTP_CODE_MALFORMED",
            Self::KeyMissing(_) => "OTP_KEY_MISSING",
            Self::Log(fault) => fault.reason(),
            Self::Internal => "INTERNAL",
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Log(error.into())
    }
}

impl From<EventError> for Error {
    fn from(error: EventError) -> Self {
        Self::Log(error.into())
    }
}

impl From<DecideError<Self>> for Error {
    fn from(error: DecideError<Self>) -> Self {
        match error {
            DecideError::Rejected(error) => error,
            DecideError::Expired => Rejection::Expired.into(),
            DecideError::Log(fault) => Self::Log(fault),
        }
    }
}
