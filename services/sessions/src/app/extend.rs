//! Activity: kept in memory, recorded now and then, so that every replica and every restart knows of it.
//!
//! A replica records what it has seen when the recorded activity is a third of the idle timeout old, always a margin
//! before the recorded deadline, within that margin before it answers, and when it drains. So whoever has read the log up to
//! the deadline knows whether a session is idle, and only a crash costs anything: a third of the timeout at most.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt as _;
use sekisho_eventlog::{Context, LogFault};
use tokio::time::Instant;

use super::{ACTOR, Failure, Sessions};
use crate::domain::{Activity, Command, TokenDigest};

/// Looks for due activity in one margin.
const LOOKS: u32 = 10;
/// Entries that are appended at the same time.
const AT_ONCE: usize = 64;
/// A head that was not confirmed for so long is an outage: other replicas may hold activity that they could not record.
const OUTAGE: Duration = Duration::from_secs(5);
/// After an outage nobody ends as idle for so long, so that every replica can record what it has seen.
const CALM: Duration = Duration::from_secs(10);

/// Whether idleness can be judged. It cannot during an outage of the log, nor for a while after one.
#[derive(Debug, Default)]
pub(super) struct Calm {
    until: std::sync::Mutex<Option<Instant>>,
}

impl Calm {
    /// Notes how old the newest confirmed head is.
    fn note(&self, head_age: Duration) {
        if head_age >= OUTAGE {
            *self.lock() = Some(Instant::now() + CALM);
        }
    }

    /// Whether nobody may be called idle now.
    pub fn holds(&self) -> bool {
        self.lock().is_some_and(|until| Instant::now() < until)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.until
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Sessions {
    /// Records due activity for ever.
    pub async fn keep_activity(&self) -> Infallible {
        let margin = Duration::try_from(self.inner.limits.margin()).unwrap_or_default();
        let every = (margin / LOOKS).clamp(Duration::from_millis(20), Duration::from_secs(1));
        loop {
            tokio::time::sleep(every).await;
            self.inner.calm.note(self.inner.log.head_age());
            let now = self.inner.log.now();
            let limits = &self.inner.limits;
            let due = self
                .inner
                .view
                .ask(|directory| directory.due_activity(now, limits));
            self.record_all(due).await;
        }
    }

    /// Records all activity that the log does not hold, for a replica that will not be there any more.
    pub async fn hand_over_activity(&self) {
        let now = self.inner.log.now();
        let limits = &self.inner.limits;
        let all = self
            .inner
            .view
            .ask(|directory| directory.all_activity(now, limits));
        let (seen, recorded) = (all.len(), self.record_all(all).await);
        tracing::info!(seen, recorded, "recorded the activity of this replica");
    }

    /// Records a session's activity before it is answered, if the session would end soon by what is recorded.
    pub(super) async fn record_urgent(&self, token: TokenDigest) -> Result<(), Failure> {
        let now = self.inner.log.now();
        let limits = &self.inner.limits;
        let urgent = self
            .inner
            .view
            .ask(|directory| directory.urgent_activity(token, now, limits));
        match urgent {
            Some(activity) => self.record_activity(activity).await,
            None => Ok(()),
        }
    }

    /// How many were recorded, or recorded by somebody else. What fails is due again; where the log does not answer, the
    /// rest would only wait in vain.
    async fn record_all(&self, activity: Vec<Activity>) -> usize {
        let mut recorded = 0;
        let mut attempts = futures::stream::iter(activity)
            .map(|activity| self.record_activity(activity))
            .buffer_unordered(AT_ONCE);
        while let Some(attempt) = attempts.next().await {
            match attempt {
                Ok(()) => recorded += 1,
                // A fault of this account alone.
                Err(failure @ Failure::Log(LogFault::Unknown | LogFault::Refused)) => {
                    tracing::debug!(%failure, "activity was not recorded");
                }
                Err(failure) => {
                    let error = sekisho_service::chain(&failure);
                    tracing::warn!(error, "activity was not recorded");
                    break;
                }
            }
        }
        recorded
    }

    async fn record_activity(&self, activity: Activity) -> Result<(), Failure> {
        let command = Command::Extend {
            session: activity.session,
            active_at: activity.active_at,
            limits: self.inner.limits,
        };
        let context = Context::new(activity.account, None, ACTOR);
        self.decide(&context, command).await.map(drop)
    }
}
