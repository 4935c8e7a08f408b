//! Snapshots: taken now and then, so that a new replica folds only what came after.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sekisho_eventlog::{LogFault, Position};
use tokio::task::spawn_blocking;

use super::{Error, Sessions};
use crate::domain::{Directory, SNAPSHOT_VERSION};
use crate::snapshot::{Manifest, Unusable, hashes};
use crate::store::{self, Stored};

/// A piece of a snapshot, at most.
const PIECE: usize = 1 << 20;
/// Within such a time one replica takes a snapshot that is due, and the others find it taken.
const SPREAD_MILLIS: u64 = 2_000;
/// After a snapshot that could not be taken.
const PAUSE: Duration = Duration::from_secs(30);

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
    pub(super) async fn resume(&self) -> Position {
        let stored = match store::newest(self.inner.log.pool()).await {
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
                    self.inner.view.resume(directory, stored.manifest.position);
                    return stored.manifest.position;
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
        let position = |newest: Option<Stored>| newest.map_or(0, |stored| stored.manifest.position.0);
        let due = position(self.newest_of_ours().await?).saturating_add(every);
        self.inner.view.wait_for(Position(due)).await;
        let spread = u64::from_be_bytes(sekisho_service::entropy::bytes()) % SPREAD_MILLIS;
        tokio::time::sleep(Duration::from_millis(spread)).await;
        if position(self.newest_of_ours().await?) < due {
            self.take().await?;
        }
        Ok(())
    }

    /// The newest snapshot that one of us has sealed. Whoever may write the table must not keep us from taking more.
    async fn newest_of_ours(&self) -> Result<Option<Stored>, SnapshotError> {
        let stored = store::newest(self.inner.log.pool()).await?;
        let is_ours = |stored: &Stored| stored.manifest.check(&stored.tag, &self.inner.keys).is_ok();
        Ok(stored.into_iter().find(is_ours))
    }

    async fn take(&self) -> Result<Position, SnapshotError> {
        let begun = Instant::now();
        let inner = Arc::clone(&self.inner);
        // Of a million sessions it takes a while; the follower waits for it, and nobody else.
        let write = move || {
            let (pieces, digest, epoch, position) = inner.view.ask_at(|directory, position| {
                (
                    directory.pieces(PIECE),
                    directory.digest(),
                    directory.epoch(),
                    position,
                )
            });
            let piece_hashes = hashes(&pieces);
            (pieces, piece_hashes, digest, epoch, position)
        };
        let (pieces, piece_hashes, digest, epoch, position) = spawn_blocking(write).await?;
        let entry = self.inner.log.entry(position).await.map_err(LogFault::from)?;
        let Some(entry) = entry else {
            return Ok(Position(0));
        };
        let manifest = Manifest {
            position,
            event_id: entry.recorded.event_id,
            epoch,
            version: SNAPSHOT_VERSION,
            digest: digest.to_vec(),
            piece_hashes,
        };
        let tag = manifest.seal(&self.inner.keys);
        let before = self.newest_of_ours().await?.map(|stored| stored.id);
        store::keep(self.inner.log.pool(), &manifest, &tag, &pieces, before).await?;
        tracing::info!(
            position = position.0,
            bytes = pieces.iter().map(Vec::len).sum::<usize>(),
            seconds = begun.elapsed().as_secs_f64(),
            "took a snapshot"
        );
        Ok(position)
    }
}
