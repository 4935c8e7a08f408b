//! Bookkeeping: sessions whose end is computed get an entry that says so. Nobody waits for it.

use std::convert::Infallible;
use std::time::Duration;

use sekisho_eventlog::{Context, Decided, LogFault};

use super::{ACTOR, Error, Sessions};
use crate::domain::{Command, Ending, Why};

/// Between two sweeps.
const EVERY: Duration = Duration::from_secs(10);
/// Ends that one sweep records, at most.
const AT_MOST: usize = 500;

impl Sessions {
    /// Sweeps for ever.
    pub async fn sweep(&self) -> Infallible {
        loop {
            tokio::time::sleep(EVERY).await;
            match self.sweep_once().await {
                Ok(0) => {}
                Ok(recorded) => tracing::info!(recorded, "recorded the ends of sessions that had run out"),
                Err(error) => tracing::warn!(
                    error = sekisho_service::chain(&error),
                    "the ends of sessions were not recorded"
                ),
            }
        }
    }

    /// Records every end that the log does not hold yet, and answers how many it recorded. Replicas do the same at the
    /// same time: the stream's version lets one of them through, and the others find it done.
    ///
    /// # Errors
    /// [`Error`]; the next sweep goes on.
    pub async fn sweep_once(&self) -> Result<usize, Error> {
        self.current().await?;
        self.record_told().await?;
        let now = self.inner.log.now();
        let limits = &self.inner.limits;
        let endings = self
            .inner
            .view
            .ask(|directory| directory.unrecorded_ends(now, limits, AT_MOST));
        let knows_idleness = self.knows_idleness();
        let certain = endings
            .into_iter()
            .filter(|ending| knows_idleness || ending.why != Why::Idle);
        let mut recorded = 0;
        for ending in certain {
            match self.record_ending(ending).await {
                Ok(true) => recorded += 1,
                // A fault of this account alone: the ends of the others are recorded all the same.
                Ok(false) | Err(Error::Log(LogFault::Unknown | LogFault::Refused)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(recorded)
    }

    async fn record_ending(&self, ending: Ending) -> Result<bool, Error> {
        let session = ending.session;
        let command = match ending.why {
            // Decided again on the stream itself: activity may have been recorded in between.
            Why::Idle | Why::Absolute => Command::Expire {
                session,
                now: self.inner.log.now(),
                limits: self.inner.limits,
            },
            why => Command::End { session, why },
        };
        let context = Context::new(ending.account, Some(ending.flow), ACTOR);
        let decided = self.decide(&context, command).await?;
        Ok(matches!(decided, Decided::Recorded { .. }))
    }
}
