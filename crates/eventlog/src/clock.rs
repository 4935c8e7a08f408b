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
    asked: Instant,
    answered: Instant,
}

impl Clock {
    /// A clock whose first reading, asked for at the monotonic moment `asked`, has just been answered.
    pub fn new(database: OffsetDateTime, asked: Instant) -> Self {
        Self {
            last: Arc::new(RwLock::new(Reading {
                database,
                asked,
                answered: Instant::now(),
            })),
        }
    }

    /// Now; never ahead of the database, behind it by the way of the last answer.
    pub fn now(&self) -> OffsetDateTime {
        let reading = self.reading();
        reading.database + reading.answered.elapsed()
    }

    /// How long ago the database was asked. Counted from the question: what was committed while the answer was on its
    /// way, or while this process stood still, is not in it.
    pub fn age(&self) -> Duration {
        self.reading().asked.elapsed()
    }

    /// Sets the clock to a reading that has just been answered.
    pub(crate) fn set(&self, database: OffsetDateTime, asked: Instant) {
        let reading = Reading {
            database,
            asked,
            answered: Instant::now(),
        };
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = reading;
    }

    fn reading(&self) -> Reading {
        *self.last.read().unwrap_or_else(PoisonError::into_inner)
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

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_took_long_is_as_old_as_its_question() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let clock = Clock::new(start, Instant::now());
        let asked = Instant::now();
        tokio::time::advance(Duration::from_secs(3)).await;
        clock.set(start, asked);
        assert_eq!(clock.now(), start);
        assert_eq!(clock.age(), Duration::from_secs(3));
    }
}
