//! How long things live.

use time::{Duration, OffsetDateTime};

/// An accepted code opens a session for so long.
pub use sekisho_evidence::EVIDENCE_LIFE;

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
