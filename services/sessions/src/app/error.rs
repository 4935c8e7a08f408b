//! Why a use case has no answer.

use sekisho_eventlog::{DecideError, LogFault, ReadError};
use sekisho_evidence::Refusal;
use sekisho_proto::EventError;
use sekisho_proto::refusal::{Class, Refuse};

use crate::domain::{Rejection, Why};

/// Why a use case has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The flow opens no session.
    #[error(transparent)]
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
    /// Too many of the same run: verifications, readers of histories.
    #[error("too many of the same run")]
    Busy,
    /// The log gave no answer. What was asked for may or may not stand in it.
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
            Self::Over(_) | Self::Unknown => Class::SignedOut,
            Self::AccountUnknown => Class::NotFound,
            Self::Unconfirmed => Class::Elsewhere,
            Self::Busy => Class::Busy,
            Self::Log(fault) => fault.class(),
            Self::Internal => Class::Fault,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Flow(refusal) => refusal.reason(),
            Self::Over(why) => why.reason(),
            Self::Unknown => "SESSION_UNKNOWN",
            Self::AccountUnknown => "ACCOUNT_UNKNOWN",
            Self::Unconfirmed => "SESSION_UNCONFIRMED",
            Self::Busy => "SERVER_BUSY",
            Self::Log(fault) => fault.reason(),
            Self::Internal => "INTERNAL",
        }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Flow(refusal) => Self::Flow(refusal),
            // By what this replica knew the session lived; the log knows more.
            Rejection::Over => Self::Unconfirmed,
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
            DecideError::Expired => Self::Flow(Refusal::Old),
            DecideError::Log(fault) => Self::Log(fault),
        }
    }
}
