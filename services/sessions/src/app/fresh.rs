//! How new the answers of this replica are.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Error, Sessions};

/// A replica that has not confirmed the head for so long confirms it before it answers.
const STALE: Duration = Duration::from_secs(1);
/// After an outage of the log nobody ends as idle for so long, so that every replica can record what it has seen.
const CALM: time::Duration = time::Duration::seconds(10);
/// How long an answer may wait for news: the caller gives up after 2 s and should hear why.
const PATIENCE: Duration = Duration::from_millis(1_500);

impl Sessions {
    /// Waits until everything is folded that was committed a second ago or earlier; most often there is nothing to
    /// wait for.
    pub(super) async fn current(&self) -> Result<(), Error> {
        let log = &self.inner.log;
        if log.head_age() >= STALE {
            return self.newest().await;
        }
        self.fold_up_to(log.head(), Instant::now() + PATIENCE).await
    }

    /// Waits until everything is folded that was committed before this call.
    pub(super) async fn newest(&self) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        let read = async || match self.inner.log.confirm_head().await {
            Ok(head) => Some(head),
            Err(error) => {
                tracing::warn!(error = sekisho_service::chain(&error), "head not confirmed");
                None
            }
        };
        let head = timeout_at(deadline, self.inner.head_reads.after_now(read)).await;
        let head = head.ok().flatten().ok_or(Error::Unconfirmed)?;
        self.fold_up_to(head, deadline).await
    }

    /// Whether idleness can be judged. It cannot for a while after an outage, nor after the start of this process, which
    /// may have come after one.
    pub(super) fn knows_idleness(&self) -> bool {
        let log = &self.inner.log;
        log.now() - log.steady_since() >= CALM
    }

    async fn fold_up_to(&self, position: sekisho_eventlog::Position, deadline: Instant) -> Result<(), Error> {
        let patience = deadline.saturating_duration_since(Instant::now());
        if self.inner.view.folded() >= position || self.inner.view.reach(position, patience).await {
            Ok(())
        } else {
            Err(Error::Unconfirmed)
        }
    }
}
