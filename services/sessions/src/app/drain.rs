//! The last that a replica does: what only it knows, it records.

use std::time::Duration;

use tokio::time::timeout;

use super::Sessions;

/// How long it may try: within the process's own limit, and with time left to end.
const PATIENCE: Duration = Duration::from_secs(5);

impl Sessions {
    /// Records the sign-outs that were told and the activity that was seen and that the log does not hold, for a replica that
    /// will not be there any more.
    pub async fn hand_over(&self) {
        tokio::join!(self.hand_over_ends(), self.hand_over_activity());
    }

    /// What it cannot record, only the other replicas know.
    async fn hand_over_ends(&self) {
        // What is left says whether it failed.
        let _ = timeout(PATIENCE, self.record_told()).await;
        let left = self.tombstones().told().len();
        if left > 0 {
            tracing::error!(
                sign_outs = left,
                "sign-outs are not recorded; without another replica that knows of them, their sessions go on"
            );
        }
    }

    async fn hand_over_activity(&self) {
        let now = self.inner.log.now();
        let limits = &self.inner.limits;
        let all = self
            .inner
            .view
            .ask(|directory| directory.all_activity(now, limits));
        let sessions = all.len();
        if timeout(PATIENCE, self.record_all(all)).await.is_err() {
            tracing::warn!(sessions, "the activity of this replica was not recorded in time");
        }
    }
}
