//! How long things live.

use time::{Duration, OffsetDateTime};

/// How long a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without activity.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
}

/// Until when a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// When it ends without further activity; never after `absolute`.
    pub idle: OffsetDateTime,
    /// When it ends in any case.
    pub absolute: OffsetDateTime,
}
