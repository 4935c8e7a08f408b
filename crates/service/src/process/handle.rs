//! What a running process offers to its parts.

use super::Error;
use crate::readiness::{Latch, Readiness};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A handle on the running process: its end, its background tasks, its readiness. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Process {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shutdown: CancellationToken,
    failed: AtomicBool,
    announced: AtomicBool,
    workers: TaskTracker,
    readiness: Readiness,
    drain_timeout: Duration,
}

impl Process {
    /// A process without signals, for tests that run a service inside their own.
    pub fn new(drain_timeout: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                shutdown: CancellationToken::new(),
                failed: AtomicBool::new(false),
                announced: AtomicBool::new(false),
                workers: TaskTracker::new(),
                readiness: Readiness::new(),
                drain_timeout,
            }),
        }
    }

    /// Cancelled when the process should take no new work and finish what runs.
    pub fn shutdown(&self) -> CancellationToken {
        self.inner.shutdown.clone()
    }

    /// Begins the drain, as the first signal does.
    pub fn request_shutdown(&self) {
        self.inner.shutdown.cancel();
    }

    /// How long the drain may take.
    pub fn drain_timeout(&self) -> Duration {
        self.inner.drain_timeout
    }

    /// The process's readiness.
    pub fn readiness(&self) -> &Readiness {
        &self.inner.readiness
    }

    /// Keeps the process unready until it is released; `what` is the state that is waited for. Take it before serving:
    /// a server that serves while no latch is held is ready.
    pub fn latch(&self, what: &'static str) -> Latch {
        self.inner.readiness.latch(what)
    }

    /// Whether a background task ended before its time.
    pub fn has_failed(&self) -> bool {
        self.inner.failed.load(Ordering::SeqCst)
    }

    /// Starts a task that must run as long as the process, such as a follower of the log. It is dropped when the
    /// service's `main` has returned, so that requests which are still being answered can rely on it.
    ///
    /// If it ends, fails or panics before the drain, the process drains and exits with 1.
    pub fn spawn<E: Into<Error> + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        tokio::spawn(self.clone().watch(name, task));
    }

    /// [`Process::spawn`] for a task that never ends.
    pub fn spawn_endless(&self, name: &'static str, task: impl Future<Output = Infallible> + Send + 'static) {
        let endless = async { absurd(task.await) };
        self.spawn::<Error>(name, endless);
    }

    /// Starts a task that ends by itself once [`Process::shutdown`] is cancelled, such as a worker that finishes the
    /// mail at hand. The process waits for it, within the drain timeout.
    ///
    /// If it ends, fails or panics before the drain, the process drains and exits with 1.
    pub fn spawn_worker<E: Into<Error> + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        self.inner.workers.spawn(self.clone().watch(name, task));
    }

    /// A listener serves from now on. The first time, one line follows in the log when the last latch is released.
    pub(crate) fn serving(&self) {
        if self.inner.announced.swap(true, Ordering::SeqCst) {
            return;
        }
        let readiness = self.readiness().clone();
        tokio::spawn(async move {
            readiness.ready().await;
            tracing::info!("ready");
        });
    }

    /// Returns when every worker has ended.
    pub(super) async fn workers_ended(&self) {
        self.inner.workers.close();
        self.inner.workers.wait().await;
    }

    async fn watch<E: Into<Error> + 'static>(
        self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        // A task of its own, so that a panic becomes a value.
        let outcome = tokio::spawn(async move { task.await.map_err(Into::into) }).await;
        let draining = self.inner.shutdown.is_cancelled();
        match describe(outcome) {
            None if draining => return,
            None => tracing::error!(task = name, "a background task ended before its time"),
            Some(error) => tracing::error!(task = name, error, "a background task failed"),
        }
        self.inner.failed.store(true, Ordering::SeqCst);
        self.inner.shutdown.cancel();
    }
}

/// What went wrong, if anything did.
fn describe(outcome: Result<Result<(), Error>, JoinError>) -> Option<String> {
    match outcome {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(crate::chain(error.as_ref())),
        Err(error) if error.is_cancelled() => None,
        Err(_) => Some("panicked".to_owned()),
    }
}

/// What never comes is of any type.
fn absurd<T>(never: Infallible) -> T {
    match never {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> Process {
        Process::new(Duration::from_secs(5))
    }

    #[tokio::test]
    async fn a_background_task_that_ends_early_ends_the_process() {
        let process = process();
        process.spawn("follower", async { Ok::<(), Error>(()) });
        process.shutdown().cancelled().await;
        assert!(process.has_failed());
    }

    #[tokio::test]
    async fn a_background_task_that_panics_ends_the_process() {
        let process = process();
        process.spawn("follower", async {
            assert!(std::hint::black_box(false), "on purpose");
            Ok::<(), Error>(())
        });
        process.shutdown().cancelled().await;
        assert!(process.has_failed());
    }

    #[tokio::test]
    async fn a_worker_that_ends_in_the_drain_is_no_failure() {
        let process = process();
        let shutdown = process.shutdown();
        process.spawn_worker("mail", async move {
            shutdown.cancelled().await;
            Ok::<(), Error>(())
        });
        process.request_shutdown();
        process.workers_ended().await;
        assert!(!process.has_failed());
    }
}
