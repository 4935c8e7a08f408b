//! How long things live.

use time::{Duration, OffsetDateTime};

use super::why::Why;

/// How long a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without activity.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
    /// How long it is still believed in while the log cannot be asked.
    pub stale: Duration,
}

/// Until when a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// When it ends without further activity; never after `absolute`.
    pub idle: OffsetDateTime,
    /// When it ends in any case.
    pub absolute: OffsetDateTime,
}

impl Limits {
    /// Until when a session lives that started and was last used at these moments.
    pub fn live(&self, started_at: OffsetDateTime, active_at: OffsetDateTime) -> Live {
        let absolute = started_at.saturating_add(self.absolute);
        Live {
            idle: absolute.min(active_at.saturating_add(self.idle)),
            absolute,
        }
    }

    /// How such a session has run out by now; of two deadlines, by the one that came first.
    pub fn expired(
        &self,
        started_at: OffsetDateTime,
        active_at: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Option<Why> {
        let live = self.live(started_at, active_at);
        (now >= live.idle).then_some(if live.idle < live.absolute {
            Why::Idle
        } else {
            Why::Absolute
        })
    }

    /// Activity is recorded when the recorded one is this old: 10 minutes of 30. What a crash may cost.
    pub fn extend_after(&self) -> Duration {
        self.idle / 3
    }

    /// Activity is recorded so long before the recorded deadline, and within that time before it is answered: a minute
    /// of 30. So whoever reads the log up to the deadline knows of all activity before it.
    pub fn margin(&self) -> Duration {
        self.idle / 30
    }
}
