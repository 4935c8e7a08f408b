//! Reads of the log's head that many callers share.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use sekisho_eventlog::Position;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::app::Error;

/// At most one read at a time; its answer serves everybody who asked before it began.
#[derive(Debug, Default)]
pub(crate) struct HeadReads {
    last: Mutex<Option<Read>>,
    unanswered: std::sync::Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, Copy)]
struct Read {
    begun: Instant,
    answer: Result<Position, Error>,
}

impl HeadReads {
    /// The answer of a read that began after this call: whatever was committed before the call stands at or before
    /// it.
    ///
    /// # Errors
    /// Those of the read.
    pub async fn after_now(
        &self,
        read: impl AsyncFnOnce() -> Result<Position, Error>,
    ) -> Result<Position, Error> {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        if let Some(shared) = *last
            && shared.begun > asked
        {
            return shared.answer;
        }
        let begun = Instant::now();
        let answer = read().await;
        let is_unanswered = answer == Err(Error::Unconfirmed);
        *self.unanswered() = is_unanswered.then(Instant::now);
        *last = Some(Read { begun, answer });
        answer
    }

    /// Whether the last read has found no answer, and nobody has had one since; `head_age` is how long ago the head was
    /// confirmed by anybody.
    pub fn are_vain(&self, head_age: Duration) -> bool {
        let unanswered = *self.unanswered();
        unanswered.is_some_and(|at| head_age >= at.elapsed())
    }

    fn unanswered(&self) -> MutexGuard<'_, Option<Instant>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use sekisho_eventlog::LogFault;

    use super::*;

    /// Reads take 10 ms; the answer is the number of the read.
    async fn ask(reads: Arc<HeadReads>, count: Arc<AtomicU64>) -> u64 {
        let read = async || {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(Position(number))
        };
        reads.after_now(read).await.unwrap().0
    }

    #[tokio::test(start_paused = true)]
    async fn one_read_serves_all_who_asked_before_it_began_and_nobody_else() {
        let (reads, count) = (Arc::new(HeadReads::default()), Arc::new(AtomicU64::new(0)));
        let spawn = || tokio::spawn(ask(Arc::clone(&reads), Arc::clone(&count)));
        let first = spawn();
        tokio::time::sleep(Duration::from_millis(5)).await;
        // The first read has begun already: it may have missed what these callers know of.
        let late: Vec<_> = (0..100).map(|_| spawn()).collect();
        assert_eq!(first.await.unwrap(), 1);
        for caller in late {
            assert_eq!(caller.await.unwrap(), 2);
        }
        assert_eq!(ask(Arc::clone(&reads), Arc::clone(&count)).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn reads_are_vain_after_one_without_an_answer_until_somebody_has_one() {
        let reads = HeadReads::default();
        let answered = async |answer| reads.after_now(async || answer).await;
        let second = Duration::from_secs(1);
        assert!(!reads.are_vain(second));
        let _ = answered(Err(Error::Unconfirmed)).await;
        tokio::time::sleep(2 * second).await;
        assert!(reads.are_vain(3 * second));
        assert!(!reads.are_vain(second), "the head was confirmed since");
        let _ = answered(Ok(Position(1))).await;
        assert!(!reads.are_vain(3 * second));
        // That the log went back is an answer.
        let _ = answered(Err(Error::Log(LogFault::WentBack))).await;
        assert!(!reads.are_vain(3 * second));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_leaves_the_read_to_the_next() {
        let (reads, count) = (Arc::new(HeadReads::default()), Arc::new(AtomicU64::new(0)));
        let gives_up = ask(Arc::clone(&reads), Arc::clone(&count));
        assert!(
            tokio::time::timeout(Duration::from_millis(5), gives_up)
                .await
                .is_err()
        );
        assert_eq!(ask(Arc::clone(&reads), Arc::clone(&count)).await, 2);
    }
}
