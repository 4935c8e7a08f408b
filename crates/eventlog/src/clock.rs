//! The log's clock, as this process knows it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

/// The database's time at the last head poll, plus the monotonic time since. The wall clock of this machine is never
/// asked.
#[derive(Debug, Clone)]
pub struct Clock {
    last: Arc<RwLock<Reading>>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    database: OffsetDateTime,
    taken: Instant,
}

impl Clock {
    /// A clock that was read as `database` at the monotonic moment `taken`.
    pub fn new(database: OffsetDateTime, taken: Instant) -> Self {
        Self {
            last: Arc::new(RwLock::new(Reading { database, taken })),
        }
    }

    /// Now.
    pub fn now(&self) -> OffsetDateTime {
        let reading = *self.last.read().unwrap_or_else(PoisonError::into_inner);
        reading.database + reading.taken.elapsed()
    }

    /// How long ago the database was asked.
    pub fn age(&self) -> Duration {
        self.last
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .taken
            .elapsed()
    }

    /// Sets the clock to a new reading.
    pub(crate) fn set(&self, database: OffsetDateTime, taken: Instant) {
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Reading { database, taken };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_goes_on_between_two_readings() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let clock = Clock::new(start, Instant::now());
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(clock.now(), start + Duration::from_secs(7));
        assert_eq!(clock.age(), Duration::from_secs(7));
    }
}
