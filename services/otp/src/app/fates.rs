//! Tells who waits for a mail that the log now holds its outcome, whichever replica mailed it.

use sekisho_eventlog::Position;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Announcements that a slow waiter may lag behind; who misses one looks into the log instead.
const CAPACITY: usize = 1024;

/// Announces outcomes of mails as the follower of the log folds them.
#[derive(Debug, Clone)]
pub struct Fates {
    settled: broadcast::Sender<Position>,
}

/// Hears what is announced from its making on.
#[derive(Debug)]
pub(super) struct Hearing {
    settled: broadcast::Receiver<Position>,
}

impl Fates {
    /// Nothing announced yet.
    pub fn new() -> Self {
        Self {
            settled: broadcast::Sender::new(CAPACITY),
        }
    }

    /// The log holds the outcome of the mail about this position.
    pub(crate) fn announce(&self, about: Position) {
        // Nobody may wait at the moment.
        let _ = self.settled.send(about);
    }

    pub(super) fn hear(&self) -> Hearing {
        Hearing {
            settled: self.settled.subscribe(),
        }
    }
}

impl Default for Fates {
    fn default() -> Self {
        Self::new()
    }
}

impl Hearing {
    /// Returns when the outcome is announced, or when announcements were missed.
    pub async fn until_settled(&mut self, about: Position) {
        loop {
            match self.settled.recv().await {
                Ok(settled) if settled == about => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
