//! Snapshots: taken now and then, so that a new replica folds only what came after.

use std::convert::Infallible;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sekisho_eventlog::{LogFault, Mark, Position};
use tokio::task::spawn_blocking;

use super::{Error, Sessions};
use crate::domain::{Directory, snapshot_version};
use crate::snapshot::{Manifest, Unusable, hashes};
use crate::store::{self, Stored};

/// A piece of a snapshot, at most.
const PIECE: usize = 1 << 20;
/// Within such a time one replica takes a snapshot that is due, and the others find it taken.
const SPREAD_MILLIS: u64 = 2_000;
/// After a snapshot that could not be taken.
const PAUSE: Duration = Duration::from_secs(30);

/// A snapshot that this replica has read or taken, or that one of us has sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Latest {
    position: Position,
    id: i64,
}

/// Why a snapshot was not taken or not read.
#[derive(Debug, thiserror::Error)]
enum SnapshotError {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error("PostgreSQL gave no answer")]
    Database(#[from] sqlx::Error),
    #[error("the log gave no answer")]
    Log(#[from] LogFault),
    #[error("the thread that made it has ended")]
    Ended(#[from] tokio::task::JoinError),
}

impl Sessions {
    /// Takes a snapshot whenever so many entries were folded since the newest one, for ever.
    pub async fn keep_snapshots(&self, every: u64) -> Infallible {
        loop {
            if let Err(error) = self.take_when_due(every).await {
                tracing::warn!(error = sekisho_service::chain(&error), "no snapshot was taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Takes a snapshot of what is folded now. Answers its position; 0, and none, of an empty log.
    ///
    /// # Errors
    /// [`Error::Internal`], having said why.
    pub async fn take_snapshot(&self) -> Result<Position, Error> {
        self.take().await.map_err(|error| {
            tracing::warn!(error = sekisho_service::chain(&error), "no snapshot was taken");
            Error::Internal
        })
    }

    /// Begins with the newest snapshot that can be believed, if there is any. Answers after which position the log is still
    /// to be folded.
    pub(super) async fn resume(&self, history: u64) -> Position {
        let stored = match store::newest(self.inner.log.pool(), snapshot_version()).await {
            Ok(stored) => stored,
            Err(error) => {
                let error = sekisho_service::chain(&error);
                tracing::error!(error, "no snapshot can be read: the whole log is folded");
                return Position(0);
            }
        };
        for stored in stored {
            match self.open(&stored).await {
                Ok(directory) => {
                    let position = stored.manifest.position;
                    let upto = Mark { history, position };
                    self.inner.view.resume(directory, upto).await;
                    self.remember(Latest {
                        id: stored.id,
                        position,
                    });
                    return position;
                }
                Err(why) => tracing::error!(
                    snapshot = stored.id,
                    position = stored.manifest.position.0,
                    error = sekisho_service::chain(&why),
                    "a snapshot is not used"
                ),
            }
        }
        Position(0)
    }

    async fn open(&self, stored: &Stored) -> Result<Directory, SnapshotError> {
        let Stored { id, manifest, tag } = stored;
        manifest.check(tag, &self.inner.keys)?;
        let pool = self.inner.log.pool();
        if !store::stands(pool, manifest).await? {
            return Err(Unusable::Foreign.into());
        }
        let mut directory = Directory::default();
        for number in 0..manifest.pieces() {
            let piece = store::piece(pool, *id, number).await?;
            manifest.add(number, &piece.ok_or(Unusable::Damaged)?, &mut directory)?;
        }
        Ok(manifest.finish(directory)?)
    }

    async fn take_when_due(&self, every: u64) -> Result<(), SnapshotError> {
        let position = |latest: Option<Latest>| latest.map_or(0, |latest| latest.position.0);
        let due = position(self.latest().await?).saturating_add(every);
        self.inner.view.wait_for(Position(due)).await;
        let spread = u64::from_be_bytes(sekisho_service::entropy::bytes()) % SPREAD_MILLIS;
        tokio::time::sleep(Duration::from_millis(spread)).await;
        if position(self.latest().await?) < due {
            self.take().await?;
        }
        Ok(())
    }

    /// The newest snapshot that one of us has sealed, of what is stored and what this replica has read or taken: whoever may
    /// write the tables must neither keep us from taking more nor have us take them all the time.
    async fn latest(&self) -> Result<Option<Latest>, SnapshotError> {
        let stored = store::newest(self.inner.log.pool(), snapshot_version()).await?;
        let folded = self.inner.view.folded().position;
        let is_ours = |stored: &&Stored| {
            let is_sealed = stored.manifest.check(&stored.tag, &self.inner.keys).is_ok();
            is_sealed && stored.manifest.position <= folded
        };
        let found = stored.iter().find(is_ours).map(|stored| Latest {
            id: stored.id,
            position: stored.manifest.position,
        });
        Ok(found.into_iter().chain(*self.remembered_latest()).max())
    }

    fn remember(&self, latest: Latest) {
        *self.remembered_latest() = Some(latest);
    }

    fn remembered_latest(&self) -> MutexGuard<'_, Option<Latest>> {
        let latest = self.inner.latest_snapshot.lock();
        latest.unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self) -> Result<Position, SnapshotError> {
        let begun = Instant::now();
        let inner = Arc::clone(&self.inner);
        // Of a million sessions it takes a while; the follower waits for it, and nobody else.
        let standing_still = inner.view.stand_still().await;
        let write = move || {
            let _until_done = standing_still;
            let (pieces, digest, epoch, upto) = inner.view.ask_at(|directory, upto| {
                (
                    directory.pieces(PIECE),
                    directory.digest(),
                    directory.epoch(),
                    upto,
                )
            });
            let piece_hashes = hashes(&pieces);
            (pieces, piece_hashes, digest, epoch, upto)
        };
        let (pieces, piece_hashes, digest, epoch, upto) = spawn_blocking(write).await?;
        let Mark { history, position } = upto;
        let entry = self.inner.log.entry(position).await.map_err(LogFault::from)?;
        let Some(entry) = entry else {
            return Ok(Position(0));
        };
        // Nothing of a log that went back is sealed to an entry of the one that took its place.
        self.inner.log.confirm_head().await.map_err(LogFault::from)?;
        if self.inner.log.mark().history != history {
            return Err(LogFault::WentBack.into());
        }
        let manifest = Manifest {
            position,
            event_id: entry.recorded.event_id,
            epoch,
            version: snapshot_version(),
            digest: digest.to_vec(),
            piece_hashes,
        };
        let tag = manifest.seal(&self.inner.keys);
        let before = self.latest().await?.map(|latest| latest.id);
        let id = store::keep(self.inner.log.pool(), &manifest, &tag, &pieces, before).await?;
        self.remember(Latest { position, id });
        tracing::info!(
            position = position.0,
            bytes = pieces.iter().map(Vec::len).sum::<usize>(),
            seconds = begun.elapsed().as_secs_f64(),
            "took a snapshot"
        );
        Ok(position)
    }
}
