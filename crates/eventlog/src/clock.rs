//! The log's clock, as this process knows it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

/// A head that nobody has confirmed for so long is an outage of the log.
const OUTAGE: Duration = Duration::from_secs(5);

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
    asked_at: OffsetDateTime,
    steady_since: OffsetDateTime,
    takes_entries: bool,
}

impl Clock {
    /// A clock whose first reading, asked for at the monotonic moment `asked`, has just been answered.
    pub fn new(database: OffsetDateTime, asked: Instant) -> Self {
        let answered = Instant::now();
        Self {
            last: Arc::new(RwLock::new(Reading {
                database,
                asked,
                answered,
                asked_at: database - (answered - asked),
                steady_since: database,
                takes_entries: true,
            })),
        }
    }

    /// Now; never further from the database's time than the way of an answer.
    pub fn now(&self) -> OffsetDateTime {
        let reading = self.reading();
        reading.database + reading.answered.elapsed()
    }

    /// How long ago the database was asked. Counted from the question: what was committed while the answer was on its
    /// way, or while this process stood still, is not in it.
    pub fn age(&self) -> Duration {
        self.reading().asked.elapsed()
    }

    /// When the database was asked, at the earliest that it can have been: by its own clock it answered later.
    pub fn asked_at(&self) -> OffsetDateTime {
        self.reading().asked_at
    }

    /// Since when the log has answered without an outage; at first since it was asked for the first time, and now while it
    /// takes nothing.
    pub fn steady_since(&self) -> OffsetDateTime {
        let reading = self.reading();
        if reading.takes_entries {
            reading.steady_since
        } else {
            self.now()
        }
    }

    /// Whether the log took or refused an entry, or gave no answer: then it takes none, whatever it says of its head.
    pub(crate) fn notice(&self, has_answered: bool) {
        let now = self.now();
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        if has_answered && !last.takes_entries {
            last.steady_since = now;
        }
        last.takes_entries = has_answered;
    }

    /// Sets the clock to a reading that has just been answered. The database read its clock at some moment between the
    /// question and the answer; within these bounds this clock goes on as it was, so that it does not step back because
    /// an answer was slow. One that comes after that to a later question says nothing new.
    pub(crate) fn set(&self, database: OffsetDateTime, asked: Instant) {
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        if asked < last.asked {
            return;
        }
        let answered = Instant::now();
        let so_far = last.database + (answered - last.answered);
        *last = Reading {
            database: so_far.clamp(database, database + (answered - asked)),
            asked,
            answered,
            asked_at: database - (answered - asked),
            steady_since: if asked - last.asked < OUTAGE {
                last.steady_since
            } else {
                database
            },
            takes_entries: last.takes_entries,
        };
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
        assert_eq!(clock.age(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_does_not_set_the_clock_back() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let clock = Clock::new(start, Instant::now());
        let asked = Instant::now();
        tokio::time::advance(Duration::from_secs(3)).await;
        clock.set(start + Duration::from_secs(1), asked);
        assert_eq!(clock.now(), start + Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_overtaken_by_a_later_one_changes_nothing() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let clock = Clock::new(start, Instant::now());
        let early = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        let late = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        clock.set(start + Duration::from_secs(2), late);
        clock.set(start, early);
        assert_eq!(clock.now(), start + Duration::from_secs(2));
        assert_eq!(clock.age(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_overtaken_answer_does_not_undo_a_clock_that_was_set_right() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let clock = Clock::new(start, Instant::now());
        let early = Instant::now();
        tokio::time::advance(Duration::from_secs(1)).await;
        let right = start + Duration::from_hours(1);
        clock.set(right, Instant::now());
        clock.set(start, early);
        assert_eq!(clock.now(), right);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_never_later_than_the_answer_allows() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let clock = Clock::new(start, Instant::now());
        let (early, late) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(3)).await;
        clock.set(start + Duration::from_secs(3), late);
        assert_eq!(clock.asked_at(), start + Duration::from_secs(1));
        // An answer that was overtaken says less.
        clock.set(start + Duration::from_secs(3), early);
        assert_eq!(clock.asked_at(), start + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_log_is_steady_since_the_last_long_silence_or_refused_entry() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let clock = Clock::new(start, Instant::now());
        let confirm_after = async |seconds| {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            clock.set(clock.now(), Instant::now());
            clock.steady_since() - start
        };
        assert_eq!(confirm_after(4).await, Duration::ZERO);
        assert_eq!(confirm_after(4).await, Duration::ZERO);
        assert_eq!(confirm_after(5).await, Duration::from_secs(13));
        assert_eq!(confirm_after(1).await, Duration::from_secs(13));
        clock.notice(false);
        assert_eq!(confirm_after(1).await, Duration::from_secs(15));
        assert_eq!(confirm_after(1).await, Duration::from_secs(16));
        clock.notice(true);
        assert_eq!(confirm_after(1).await, Duration::from_secs(16));
    }

    #[tokio::test(start_paused = true)]
    async fn the_database_has_the_last_word_where_the_two_disagree() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let clock = Clock::new(start, Instant::now());
        tokio::time::advance(Duration::from_secs(5)).await;
        let hour = Duration::from_hours(1);
        for behind in [hour, Duration::ZERO] {
            let asked = Instant::now();
            tokio::time::advance(Duration::from_secs(1)).await;
            let database = start + hour - behind;
            clock.set(database, asked);
            assert!((database..=database + Duration::from_secs(1)).contains(&clock.now()));
        }
    }
}
