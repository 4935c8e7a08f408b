//! What a service answers when the log gave no answer.

use std::error::Error;

use sekisho_proto::EventError;
use sekisho_proto::refusal::{Class, Refuse};

use crate::append::AppendError;
use crate::read::ReadError;

/// Why the log gave no answer, whatever was asked of it. What lies behind it is written to the process's own log when
/// it becomes one of these, and goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// The queue of this process is full. Nothing was written.
    #[error("too many entries wait to be appended")]
    Busy,
    /// PostgreSQL did not answer in time, or other processes decided on this stream faster, many times in a row. What
    /// was to be written may or may not stand in the log.
    #[error("the log cannot be reached")]
    Unavailable,
    /// The log is not the one that this process knows: a copy was restored, a failover lost entries, or an epoch has just
    /// begun. Nothing is answered from it until an operator has looked at it.
    #[error("the log is not the one that this process knows")]
    WentBack,
    /// The database's clock is more than 5 s behind the newest entry. Nothing was written.
    #[error("the database's clock is behind the newest entry")]
    ClockWentBack,
    /// The log refuses such an entry: a mistake in this program or its rights.
    #[error("the log refuses the entry")]
    Refused,
    /// The log holds an entry that this version does not understand; nothing is decided on it.
    #[error("the log holds an entry that this version does not understand")]
    Unknown,
}

impl Refuse for LogFault {
    fn class(&self) -> Class {
        match self {
            Self::Busy => Class::Busy,
            Self::Unavailable | Self::WentBack | Self::ClockWentBack => Class::Unavailable,
            Self::Refused | Self::Unknown => Class::Fault,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Busy => "LOG_BUSY",
            Self::Unavailable => "LOG_UNAVAILABLE",
            Self::WentBack => "LOG_WENT_BACK",
            Self::ClockWentBack => "CLOCK_WENT_BACK",
            Self::Refused | Self::Unknown => "LOG_MISMATCH",
        }
    }
}

impl From<ReadError> for LogFault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(error) => {
                tracing::warn!(error = &error as &dyn Error, "the log was not read");
                Self::Unavailable
            }
            ReadError::WentBack | ReadError::Replaced => Self::WentBack,
            ReadError::Unknown(error) => error.into(),
        }
    }
}

impl From<EventError> for LogFault {
    fn from(error: EventError) -> Self {
        tracing::error!(
            error = &error as &dyn Error,
            "nothing is decided on such an entry"
        );
        Self::Unknown
    }
}

impl From<AppendError> for LogFault {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Busy => Self::Busy,
            AppendError::Unavailable => Self::Unavailable,
            AppendError::WentBack => Self::WentBack,
            AppendError::ClockWentBack => Self::ClockWentBack,
            AppendError::Refused => Self::Refused,
        }
    }
}
