//! The directory of this replica, and how far of the log it has folded.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use sekisho_eventlog::{Entry, Position};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::domain::Directory;

/// Read by every call, written by the follower alone.
#[derive(Debug)]
pub(crate) struct View {
    directory: RwLock<Directory>,
    folded: watch::Sender<Position>,
}

impl View {
    /// A view that has folded nothing yet.
    pub fn new() -> Self {
        Self {
            directory: RwLock::default(),
            folded: watch::Sender::new(Position(0)),
        }
    }

    /// Answers a question from memory.
    pub fn ask<T>(&self, question: impl FnOnce(&Directory) -> T) -> T {
        question(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything up to here is in the directory.
    pub fn folded(&self) -> Position {
        *self.folded.borrow()
    }

    /// Folds a run of entries that ends at `upto`.
    pub fn fold(&self, entries: &[Entry], upto: Position) {
        {
            let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
            for entry in entries {
                if let Err(error) = directory.fold(entry) {
                    let position = entry.recorded.position.0;
                    tracing::error!(%error, position, "an entry is taken for a cut of its account");
                }
            }
        }
        self.folded.send_replace(upto);
    }

    /// Forgets everything: what was folded is not the log any more.
    pub fn forget(&self) {
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Directory::default();
        self.folded.send_replace(Position(0));
    }

    /// Waits until a position is folded. `false` if it takes longer than `patience`.
    pub async fn reach(&self, position: Position, patience: Duration) -> bool {
        let mut folded = self.folded.subscribe();
        let reached = folded.wait_for(|folded| *folded >= position);
        // The sender lives as long as `self`, so only time ends the wait.
        matches!(timeout(patience, reached).await, Ok(Ok(_)))
    }
}
