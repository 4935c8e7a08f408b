//! Keeping the directory up to date.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use sekisho_eventlog::{Batch, Follower, Position, ReadError};
use sekisho_proto::Kind;

use super::Sessions;

/// What the directory is folded from.
const KINDS: &[Kind] = &[Kind::Account, Kind::Code, Kind::Session];
/// After a read that failed.
const PAUSE: Duration = Duration::from_millis(200);

impl Sessions {
    /// Folds the log from its first entry, and goes on for ever. Calls `at_head` once, when everything is folded that
    /// stood in the log at the beginning.
    pub async fn follow(&self, at_head: impl FnOnce()) -> Infallible {
        let begun = Instant::now();
        let head = self.first_head().await;
        let mut follower = self.inner.log.follow(KINDS, Position(0));
        let mut entries = 0_usize;
        while self.inner.view.folded() < head {
            entries += self.fold_next(&mut follower).await;
        }
        tracing::info!(
            entries,
            position = head.0,
            sessions = self.remembered(),
            seconds = begun.elapsed().as_secs_f64(),
            "folded the log up to its head"
        );
        at_head();
        loop {
            self.fold_next(&mut follower).await;
        }
    }

    /// The head at the beginning, waited for.
    async fn first_head(&self) -> Position {
        loop {
            match self.inner.log.confirm_head().await {
                Ok(head) => return head,
                Err(error) => pause_after(&error).await,
            }
        }
    }

    async fn fold_next(&self, follower: &mut Follower) -> usize {
        let Batch { entries, upto, .. } = loop {
            match follower.next().await {
                Ok(batch) => break batch,
                Err(error) => pause_after(&error).await,
            }
        };
        self.inner.view.fold(&entries, upto);
        entries.len()
    }
}

async fn pause_after(error: &ReadError) {
    tracing::warn!(error = sekisho_service::chain(error), "the log was not read");
    tokio::time::sleep(PAUSE).await;
}
