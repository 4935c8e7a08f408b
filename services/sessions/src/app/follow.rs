//! Keeping the directory up to date.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use sekisho_eventlog::{Batch, Follower, Mark, ReadError};
use sekisho_proto::Kind;

use super::Sessions;

/// What the directory is folded from.
pub(super) const KINDS: &[Kind] = &[Kind::Account, Kind::Code, Kind::Session, Kind::System];
/// After a read that failed.
const PAUSE: Duration = Duration::from_millis(200);

/// What was folded is void.
struct Replaced;

impl Sessions {
    /// Folds the log from its first entry, and goes on for ever. Calls `at_head` once, when everything is folded that
    /// stood in the log at the beginning.
    pub async fn follow(&self, at_head: impl FnOnce()) -> Infallible {
        let mut follower = self.catch_up().await;
        at_head();
        loop {
            while self.fold_next(&mut follower).await.is_ok() {}
            // Another log has taken the place of this one.
            self.inner.view.forget().await;
            follower = self.catch_up().await;
        }
    }

    /// A follower that has folded everything that stood in the log at the beginning.
    async fn catch_up(&self) -> Follower {
        let begun = Instant::now();
        loop {
            let newest = self.first_mark().await;
            let snapshot = self.resume(newest.history).await;
            let mut follower = self.inner.log.follow(KINDS, snapshot);
            if let Ok(entries) = self.fold_up_to(newest, &mut follower).await {
                tracing::info!(
                    entries,
                    position = newest.position.0,
                    snapshot = snapshot.0,
                    sessions = self.remembered(),
                    seconds = begun.elapsed().as_secs_f64(),
                    "folded the log up to its head"
                );
                return follower;
            }
            self.inner.view.forget().await;
        }
    }

    async fn fold_up_to(&self, newest: Mark, follower: &mut Follower) -> Result<usize, Replaced> {
        if follower.history() != newest.history {
            return Err(Replaced);
        }
        let mut entries = 0;
        while self.inner.view.folded() < newest {
            entries += self.fold_next(follower).await?;
        }
        Ok(entries)
    }

    /// How far the log goes at the beginning, waited for.
    async fn first_mark(&self) -> Mark {
        loop {
            match self.inner.log.confirm_head().await {
                Ok(_) => return self.inner.log.mark(),
                Err(error) => pause_after(&error).await,
            }
        }
    }

    async fn fold_next(&self, follower: &mut Follower) -> Result<usize, Replaced> {
        let Batch { entries, upto, .. } = loop {
            match follower.next().await {
                Ok(batch) => break batch,
                Err(ReadError::Replaced) => return Err(Replaced),
                Err(error) => pause_after(&error).await,
            }
        };
        let upto = Mark {
            history: follower.history(),
            position: upto,
        };
        self.inner.view.fold(&entries, upto).await;
        Ok(entries.len())
    }
}

async fn pause_after(error: &ReadError) {
    tracing::warn!(error = sekisho_service::chain(error), "the log was not read");
    tokio::time::sleep(PAUSE).await;
}
