//! Why a call has no answer.

use sekisho_eventlog::{DecideError, ReadError};
use sekisho_evidence::Refusal;
use sekisho_proto::EventError;

use crate::domain::{LengthError, ProfileError, Rejection};
use crate::hashing::{PhcError, PoolError};
use crate::sealing::SealError;
use crate::store::StoreError;

/// A call that is refused, or that something kept from its answer. `grpc::status` gives each its code and reason.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The gate stays shut.
    #[error("the flow opens nothing")]
    Flow(#[source] Refusal),
    /// No code is on its way, or it is dead.
    #[error("there is no live code at this position")]
    CodeNotLive,
    /// A new password that may not be set.
    #[error("the password may not be set")]
    Password(#[source] LengthError),
    /// A login id that no account can have.
    #[error("the login id cannot be used")]
    LoginId,
    /// A profile that cannot be used.
    #[error("the profile cannot be used")]
    Profile(#[source] ProfileError),
    /// A ready-made hash that cannot be used.
    #[error("the password hash cannot be used")]
    PasswordHash(#[source] PhcError),
    /// Somebody has the login id.
    #[error("the account exists")]
    AccountExists,
    /// Nobody has the login id.
    #[error("there is no such account")]
    AccountUnknown,
    /// The account is disabled.
    #[error("the account is disabled")]
    AccountDisabled,
    /// The hashing pool is full: nothing was compared or recorded.
    #[error("too many passwords wait to be hashed")]
    HashingBusy,
    /// The log's queue is full: nothing was recorded.
    #[error("too many entries wait to be appended")]
    LogBusy,
    /// PostgreSQL does not answer, or others decided faster.
    #[error("the log cannot be reached")]
    Unavailable,
    /// The caller has seen a position that the log does not have.
    #[error("the log is behind the position that the caller has seen")]
    Behind,
    /// Our own mistake, or damaged data.
    #[error("{0}")]
    Broken(&'static str),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Flow(refusal)
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            // The use case compares again; this is what is left when the password was set anew each time.
            Rejection::VerdictStale => Self::Unavailable,
            Rejection::Exists => Self::AccountExists,
            Rejection::Unknown => Self::AccountUnknown,
            Rejection::Disabled => Self::AccountDisabled,
            Rejection::Evidence(refusal) => Self::Flow(refusal),
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Busy => Self::HashingBusy,
            PoolError::Failed => Self::Broken("a password could not be hashed"),
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => {
                tracing::warn!(%error, "the log did not answer");
                Self::Unavailable
            }
            ReadError::Behind(_) => Self::Behind,
            ReadError::Unknown(error) => error.into(),
        }
    }
}

impl From<EventError> for Error {
    fn from(error: EventError) -> Self {
        tracing::error!(%error, "nothing is decided on an entry of a newer version");
        Self::Broken("the log holds an entry that this version does not understand")
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(source) => {
                tracing::warn!(%error, %source, "the tables did not answer");
                Self::Unavailable
            }
            StoreError::Damaged => Self::Broken("a row of the tables cannot be used"),
        }
    }
}

impl From<SealError> for Error {
    fn from(_: SealError) -> Self {
        Self::Broken("a personal key does not open: is its master key still in the file?")
    }
}

impl<R: Into<Self>> From<DecideError<R>> for Error {
    fn from(error: DecideError<R>) -> Self {
        match error {
            DecideError::Rejected(rejection) => rejection.into(),
            // Only evidence has a moment after which it must not be recorded.
            DecideError::Expired => Self::Flow(Refusal::Old),
            DecideError::Busy => Self::LogBusy,
            DecideError::Unavailable => Self::Unavailable,
            DecideError::Refused => Self::Broken("the log refuses the entry"),
            DecideError::Unknown(error) => error.into(),
        }
    }
}
