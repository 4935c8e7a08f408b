//! Noticing that a background task has died.

use tokio_util::sync::CancellationToken;

/// A background task of the log has died: this process no longer appends, follows or publishes as it should, and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a background task of the log has died")]
pub struct LogEnded;

/// Rings when a task that should run as long as the log is held has ended, by a panic or otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alarm(CancellationToken);

impl Alarm {
    /// The task, watched.
    pub fn watch(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let rings = self.0.clone().drop_guard();
        async move {
            task.await;
            drop(rings);
        }
    }

    /// Returns when a task has ended.
    pub async fn rung(&self) {
        self.0.cancelled().await;
    }
}
