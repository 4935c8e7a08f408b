//! Proof of rebuild: the log is folded once more from its first entry, beside what this replica answers from.

use sekisho_eventlog::{LogFault, Mark, Position};

use super::follow::KINDS;
use super::{Error, Sessions};
use crate::domain::{Directory, SessionId, StateDigest};

/// Sessions that are named, at most.
const NAMED: usize = 100;
/// Entries that are read at a time.
const PAGE: u32 = 5_000;

/// What a rebuild has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Up to where both are folded.
    pub position: Position,
    /// Of the state that this replica answers from.
    pub digest: StateDigest,
    /// Of the state that was folded anew.
    pub rebuilt: StateDigest,
    /// Sessions that this replica remembers.
    pub sessions: usize,
    /// Sessions that are not the same in both, a hundred at most. None, and yet different digests: it is something else
    /// that differs, such as a cut.
    pub differing: Vec<SessionId>,
}

impl Sessions {
    /// Folds the log anew and compares, both at the same position. `progress` hears how far it has come and where the head
    /// is. Nothing is missing that was committed before the call. One at a time; takes as much memory again as this replica has.
    ///
    /// # Errors
    /// [`Error::Busy`] while another one runs, [`Error::Unconfirmed`], [`Error::Log`].
    pub async fn verify(&self, mut progress: impl FnMut(Position, Position)) -> Result<Verified, Error> {
        let _alone = self.inner.verifying.try_lock().map_err(|_| Error::Busy)?;
        self.newest().await?;
        let mut rebuilt = Directory::default();
        let mut upto = Mark {
            history: self.inner.log.mark().history,
            position: Position(0),
        };
        loop {
            let compared = self.inner.view.ask_at(|directory, at| {
                (at == upto).then(|| Verified::compare(at.position, directory, &rebuilt))
            });
            if let Some(verified) = compared {
                return Ok(verified);
            }
            upto.position = self.fold_more(&mut rebuilt, upto).await?;
            progress(upto.position, self.inner.log.head());
        }
    }

    /// Folds the next entries, as far as this replica has folded them and no further.
    async fn fold_more(&self, rebuilt: &mut Directory, after: Mark) -> Result<Position, Error> {
        let folded = self.inner.view.folded();
        if folded.history != after.history || folded < after {
            // Another log has taken the place of the one that was read.
            return Err(Error::Log(LogFault::WentBack));
        }
        let (after, upto) = (after.position, folded.position);
        let read = self.inner.log.read(after, upto, KINDS, PAGE).await;
        let page = read.map_err(LogFault::from).map_err(Error::Log)?;
        for entry in &page.entries {
            // The replica has said of each what it could not understand.
            let _ = rebuilt.fold(entry);
        }
        Ok(page.upto)
    }
}

impl Verified {
    /// Whether the replica's state is what the log says.
    pub fn agrees(&self) -> bool {
        self.digest == self.rebuilt
    }

    fn compare(position: Position, directory: &Directory, rebuilt: &Directory) -> Self {
        let (digest, anew) = (directory.digest(), rebuilt.digest());
        let mut differing = if digest == anew {
            Vec::new()
        } else {
            directory.differing(rebuilt)
        };
        differing.truncate(NAMED);
        Self {
            position,
            digest,
            rebuilt: anew,
            sessions: directory.len(),
            differing,
        }
    }
}
