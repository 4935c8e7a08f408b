//! What an append answers.

use time::OffsetDateTime;

use crate::ids::Position;

/// The outcome of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It stands in the log, written now or by an earlier submission of the same draft.
    Recorded(Receipt),
    /// The stream is at another version: load, decide and try again.
    Conflict,
    /// The log's time is past the draft's `not_after`.
    Expired,
}

/// Where a draft was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// In the log.
    pub position: Position,
    /// By the log's clock.
    pub recorded_at: OffsetDateTime,
}

/// Why nothing can be said about a draft, or why it can never be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The queue of this process is full. Nothing was written.
    #[error("too many entries wait to be appended")]
    Busy,
    /// PostgreSQL did not answer in time. The entry may or may not stand in the log.
    #[error("the log cannot be reached")]
    Unavailable,
    /// The log is not the one that this process knows: a copy was restored, a failover lost entries, or an epoch has just
    /// begun. Nothing was written.
    #[error("the log is not the one that this process knows")]
    WentBack,
    /// The database's clock is more than 5 s behind the newest entry. Nothing was written.
    #[error("the database's clock is behind the newest entry")]
    ClockWentBack,
    /// Too large, malformed, or of a kind that this service does not write.
    #[error("the log refuses this entry")]
    Refused,
}
