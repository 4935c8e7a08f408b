//! How new the answers of this replica are.

use std::time::Duration;

use sekisho_eventlog::{LogFault, ReadError};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Error, Inner, Sessions};

/// A replica that has not confirmed the head for so long confirms it before it answers.
const STALE: Duration = Duration::from_secs(1);
/// After an outage of the log nobody ends as idle for so long, so that every replica can record what it has seen.
const CALM: time::Duration = time::Duration::seconds(10);
/// How long an answer may wait for news: the caller gives up after 2 s and should hear why.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long a check may wait: within the same 2 s other replicas are still to be asked.
pub(super) const SOON: Duration = Duration::from_millis(500);

/// What a read that ran out of time may take to say so.
const GRACE: Duration = Duration::from_millis(100);

impl Sessions {
    /// Waits until everything is folded that was committed a second ago or earlier; most often there is nothing to
    /// wait for. Answers a moment of the log's clock: all that was committed before it is folded.
    pub(super) async fn current(&self) -> Result<OffsetDateTime, Error> {
        let log = &self.inner.log;
        if log.head_age() >= STALE {
            return self.newest().await;
        }
        self.fold_all(Instant::now() + PATIENCE).await
    }

    /// Waits until everything is folded that was committed before this call, and answers like [`Sessions::current`].
    pub(super) async fn newest(&self) -> Result<OffsetDateTime, Error> {
        self.newest_within(PATIENCE).await
    }

    /// Like [`Sessions::current`], for a check.
    pub(super) async fn current_soon(&self) -> Result<OffsetDateTime, Error> {
        if self.inner.log.head_age() >= STALE {
            return self.newest_soon().await;
        }
        self.fold_all(Instant::now() + SOON).await
    }

    /// Like [`Sessions::newest`], for a check: gives up soon, and at once while the log does not answer.
    pub(super) async fn newest_soon(&self) -> Result<OffsetDateTime, Error> {
        let Inner { log, head_reads, .. } = &*self.inner;
        // The head of such a log is confirmed no more: a read that was vain before would seem so for ever.
        if log.went_back() {
            return Err(Error::Log(LogFault::WentBack));
        }
        if head_reads.are_vain(log.head_age()) {
            return Err(Error::Unconfirmed);
        }
        self.newest_within(SOON).await
    }

    /// How long ago nothing was missing in what this replica remembers; `None` if that is too long ago to believe in it, or
    /// if it is of a log that went back.
    pub(super) fn believed_age(&self) -> Option<Duration> {
        let Inner {
            log, view, limits, ..
        } = &*self.inner;
        let (folded, newest) = (view.folded(), log.mark());
        let age = if folded >= newest {
            log.head_age()
        } else {
            view.folded_age()
        };
        let is_of_this_log = folded.history == newest.history && !log.went_back();
        (is_of_this_log && age < limits.stale).then_some(age)
    }

    async fn newest_within(&self, patience: Duration) -> Result<OffsetDateTime, Error> {
        let deadline = Instant::now() + patience;
        // A read has its own time, whoever began it and when: its failure is said of the log.
        let read = async || match timeout(patience, self.inner.log.confirm_head()).await {
            Ok(Ok(head)) => Ok(head),
            // No other replica knows better, and what was folded may be void.
            Ok(Err(ReadError::WentBack)) => Err(Error::Log(LogFault::WentBack)),
            Ok(Err(error)) => {
                tracing::warn!(error = sekisho_service::chain(&error), "head not confirmed");
                Err(Error::Unconfirmed)
            }
            Err(_) => {
                tracing::warn!("head not confirmed in time");
                Err(Error::Unconfirmed)
            }
        };
        let head = timeout_at(deadline + GRACE, self.inner.head_reads.after_now(read)).await;
        head.unwrap_or(Err(Error::Unconfirmed))?;
        self.fold_all(deadline).await
    }

    /// Whether idleness can be judged. It cannot for a while after an outage, nor after the start of this process, which
    /// may have come after one.
    pub(super) fn knows_idleness(&self) -> bool {
        let log = &self.inner.log;
        log.now() - log.steady_since() >= CALM
    }

    /// Waits until the known head is folded.
    async fn fold_all(&self, deadline: Instant) -> Result<OffsetDateTime, Error> {
        let Inner { log, view, .. } = &*self.inner;
        if log.went_back() {
            return Err(Error::Log(LogFault::WentBack));
        }
        // In this order: the head is known before the moment at which it was asked for.
        let asked_at = log.head_asked_at();
        let newest = log.mark();
        let patience = deadline.saturating_duration_since(Instant::now());
        if view.folded() >= newest || view.reach(newest, patience).await {
            Ok(asked_at)
        } else {
            Err(Error::Unconfirmed)
        }
    }
}
