//! Ready is a latch: once every part has said that it is ready, the process is, and stays so until it drains.

use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// Knows which parts of the process are not ready yet.
#[derive(Clone)]
pub struct Readiness {
    waiting: Arc<watch::Sender<Vec<&'static str>>>,
}

/// Held by a part that is not ready yet. Dropping it unreleased keeps the process unready: a part that died on its
/// way must not look ready.
#[must_use = "a latch that is never released keeps the process unready"]
pub struct Latch {
    what: &'static str,
    waiting: Arc<watch::Sender<Vec<&'static str>>>,
}

impl Readiness {
    /// Ready at once, until the first latch is taken.
    pub fn new() -> Self {
        Self {
            waiting: Arc::new(watch::Sender::new(Vec::new())),
        }
    }

    /// A latch for a part; `what` is the state that it waits for, such as "the log is folded up to the head".
    pub fn latch(&self, what: &'static str) -> Latch {
        self.waiting.send_modify(|waiting| waiting.push(what));
        Latch {
            what,
            waiting: Arc::clone(&self.waiting),
        }
    }

    /// Whether every latch is released.
    pub fn is_ready(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// What the process still waits for.
    pub fn waiting_for(&self) -> Vec<&'static str> {
        self.waiting.borrow().clone()
    }

    /// Returns when every latch is released.
    pub async fn ready(&self) {
        let mut waiting = self.waiting.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = waiting.wait_for(Vec::is_empty).await;
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("waiting_for", &self.waiting_for())
            .finish()
    }
}

impl Latch {
    /// This part is ready.
    pub fn release(self) {
        self.waiting.send_modify(|waiting| {
            if let Some(index) = waiting.iter().position(|held| *held == self.what) {
                waiting.remove(index);
            }
        });
    }
}

impl fmt::Debug for Latch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Latch").field(&self.what).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ready_only_when_every_latch_is_released() {
        let readiness = Readiness::new();
        let log = readiness.latch("log");
        let keys = readiness.latch("keys");
        log.release();
        assert_eq!(readiness.waiting_for(), ["keys"]);
        keys.release();
        readiness.ready().await;
        assert!(readiness.is_ready());
    }

    #[test]
    fn a_part_that_died_on_its_way_is_not_ready() {
        let readiness = Readiness::new();
        drop(readiness.latch("log"));
        assert!(!readiness.is_ready());
    }
}
