//! Activity: kept in memory, recorded now and then, so that every replica and every restart knows of it.
//!
//! A replica records what it has seen when the recorded activity is a third of the idle timeout old, always a margin
//! before the recorded deadline, within that margin before it answers, and when it drains. So whoever has read the log up to
//! the deadline knows whether a session is idle, and only a crash costs anything: a third of the timeout at most.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt as _;
use sekisho_eventlog::Context;

use super::{ACTOR, Error, Sessions};
use crate::domain::{Activity, Command, TokenDigest};

/// Looks for due activity in one margin.
const LOOKS: u32 = 10;
/// Entries that are appended at the same time.
const AT_ONCE: usize = 64;
/// Between two looks whether the log takes entries. Activity is recorded within a second when it is due, and in the last
/// minute before it is answered, so nothing that is unrecorded was ever answered much longer than this ago.
const PROBE: Duration = Duration::from_secs(1);

impl Sessions {
    /// Records due activity for ever.
    pub async fn keep_activity(&self) -> Infallible {
        let margin = Duration::try_from(self.inner.limits.margin()).unwrap_or_default();
        let every = (margin / LOOKS).clamp(Duration::from_millis(20), Duration::from_secs(1));
        loop {
            tokio::time::sleep(every).await;
            let now = self.inner.log.now();
            let limits = &self.inner.limits;
            let due = self
                .inner
                .view
                .ask(|directory| directory.due_activity(now, limits));
            self.record_all(due).await;
        }
    }

    /// Asks once a second, for ever, whether the log takes entries. Where the lock or the commit hangs, a replica that has
    /// nothing to record would not notice that others cannot record what they have seen.
    pub async fn probe_log(&self) -> Infallible {
        loop {
            tokio::time::sleep(PROBE).await;
            if let Err(error) = self.inner.log.probe().await {
                tracing::warn!(error = sekisho_service::chain(&error), "the log takes nothing");
            }
        }
    }

    /// Records a session's activity before it is answered, if the session would end soon by what is recorded.
    pub(super) async fn record_urgent(&self, token: TokenDigest) -> Result<(), Error> {
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

    /// What fails is due again.
    pub(super) async fn record_all(&self, activity: Vec<Activity>) {
        let attempts = futures::stream::iter(activity)
            .map(|activity| self.record_activity(activity))
            .buffer_unordered(AT_ONCE);
        let attempts: Vec<_> = attempts.collect().await;
        let mut failed: Vec<Error> = attempts.into_iter().filter_map(Result::err).collect();
        // Of a session that has ended meanwhile there is nothing more to say.
        failed.retain(|error| *error != Error::Unconfirmed);
        if let Some(first) = failed.first() {
            let (sessions, error) = (failed.len(), sekisho_service::chain(first));
            tracing::warn!(sessions, error, "activity was not recorded");
        }
    }

    async fn record_activity(&self, activity: Activity) -> Result<(), Error> {
        let command = Command::Extend {
            session: activity.session,
            active_at: activity.active_at,
            limits: self.inner.limits,
        };
        let context = Context::new(activity.account, None, ACTOR);
        self.decide(&context, command).await.map(drop)
    }
}
