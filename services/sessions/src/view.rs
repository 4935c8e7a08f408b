//! The directory of this replica, and how far of the log it has folded.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sekisho_eventlog::{Entry, Mark, Position};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::{Instant, timeout};

use crate::domain::Directory;

/// Read by every call, written by the follower alone.
#[derive(Debug)]
pub(crate) struct View {
    state: RwLock<State>,
    /// Held by whoever folds, and by whoever reads for long: a writer that waited for a reader would hold up all others.
    changing: Arc<Mutex<()>>,
    folded: watch::Sender<Mark>,
}

#[derive(Debug)]
struct State {
    directory: Directory,
    upto: Mark,
    /// When that was folded.
    at: Instant,
}

impl State {
    fn new(directory: Directory, upto: Mark) -> Self {
        Self {
            directory,
            upto,
            at: Instant::now(),
        }
    }
}

impl View {
    /// A view that has folded nothing yet.
    pub fn new() -> Self {
        Self {
            state: RwLock::new(State::new(Directory::default(), Mark::default())),
            changing: Arc::default(),
            folded: watch::Sender::new(Mark::default()),
        }
    }

    /// Answers a question from memory.
    pub fn ask<T>(&self, question: impl FnOnce(&Directory) -> T) -> T {
        self.ask_at(|directory, _| question(directory))
    }

    /// Answers a question from memory; also up to where the directory is folded.
    pub fn ask_at<T>(&self, question: impl FnOnce(&Directory, Mark) -> T) -> T {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        question(&state.directory, state.upto)
    }

    /// Everything up to here is in the directory.
    pub fn folded(&self) -> Mark {
        *self.folded.borrow()
    }

    /// Until it is dropped, nothing changes; for a question that takes long.
    pub async fn stand_still(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.changing).lock_owned().await
    }

    /// How long ago entries were folded for the last time.
    pub fn folded_age(&self) -> Duration {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.at.elapsed()
    }

    /// Folds a run of entries that ends at `upto`.
    pub async fn fold(&self, entries: &[Entry], upto: Mark) {
        let _alone = self.changing.lock().await;
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for entry in entries {
                if let Err(error) = state.directory.fold(entry) {
                    let position = entry.recorded.position.0;
                    tracing::error!(%error, position, "an entry is taken for a cut of its account");
                }
            }
            state.upto = upto;
            state.at = Instant::now();
        }
        self.folded.send_replace(upto);
    }

    /// Forgets everything: what was folded is not the log any more.
    pub async fn forget(&self) {
        self.resume(Directory::default(), Mark::default()).await;
    }

    /// Begins with what is remembered at a position.
    pub async fn resume(&self, directory: Directory, upto: Mark) {
        let _alone = self.changing.lock().await;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State::new(directory, upto);
        self.folded.send_replace(upto);
    }

    /// Waits until a position is folded, as long as it takes.
    pub async fn wait_for(&self, position: Position) {
        let mut folded = self.folded.subscribe();
        // The sender lives as long as `self`.
        let _ = folded.wait_for(|folded| folded.position >= position).await;
    }

    /// Waits until a mark is reached. `false` if it takes longer than `patience`.
    pub async fn reach(&self, mark: Mark, patience: Duration) -> bool {
        let mut folded = self.folded.subscribe();
        let reached = folded.wait_for(|folded| *folded >= mark);
        // The sender lives as long as `self`, so only time ends the wait.
        matches!(timeout(patience, reached).await, Ok(Ok(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn while_somebody_reads_for_long_the_fold_waits_and_nobody_else() {
        let view = Arc::new(View::new());
        let standing_still = view.stand_still().await;
        let folds = Arc::clone(&view);
        let mut folding = tokio::spawn(async move { folds.fold(&[], at(7)).await });
        let early = timeout(Duration::from_millis(200), &mut folding).await;
        assert!(early.is_err(), "folded meanwhile");
        let asked = Arc::clone(&view);
        let ask = tokio::task::spawn_blocking(move || asked.ask_at(|_, upto| upto));
        let upto = timeout(Duration::from_secs(5), ask).await.unwrap().unwrap();
        assert_eq!(upto, at(0));
        drop(standing_still);
        folding.await.unwrap();
        assert_eq!(view.folded(), at(7));
    }

    /// A log that took the place of another one may be shorter: what was folded of that other is no news of it.
    #[tokio::test]
    async fn what_is_folded_of_another_history_reaches_no_position_of_this_one() {
        let view = View::new();
        view.fold(&[], at(9)).await;
        let anew = Mark {
            history: 1,
            position: Position(5),
        };
        assert!(view.reach(at(5), Duration::ZERO).await);
        assert!(!view.reach(anew, Duration::ZERO).await);
        view.forget().await;
        assert!(!view.reach(anew, Duration::ZERO).await);
        view.fold(&[], anew).await;
        assert!(view.reach(anew, Duration::ZERO).await);
    }

    fn at(position: u64) -> Mark {
        Mark {
            history: 0,
            position: Position(position),
        }
    }
}
