//! Following the log: only what is read from it is folded, in order; messages only wake.

use sekisho_proto::Kind;
use tokio::sync::watch;

use crate::entry::Entry;
use crate::head::Head;
use crate::ids::Position;
use crate::log::Log;
use crate::read::ReadError;

/// Entries in one batch, at most.
const BATCH: u32 = 5_000;

/// The next run of entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The entries of the followed kinds, in order; may be empty.
    pub entries: Vec<Entry>,
    /// The follower has now seen everything up to here.
    pub upto: Position,
    /// Nothing newer was known when this was read.
    pub at_head: bool,
}

/// Reads the log from a position on, for ever.
#[derive(Debug)]
pub struct Follower {
    log: Log,
    kinds: Vec<Kind>,
    seen: Position,
    heads: watch::Receiver<Head>,
}

impl Follower {
    pub(crate) fn new(log: Log, kinds: &[Kind], after: Position) -> Self {
        let heads = log.watch_head();
        Self {
            log,
            kinds: kinds.to_vec(),
            seen: after,
            heads,
        }
    }

    /// The next batch; waits until there is one.
    ///
    /// # Errors
    /// [`ReadError`]; the next call goes on where this one failed.
    pub async fn next(&mut self) -> Result<Batch, ReadError> {
        loop {
            let head = self.heads.borrow_and_update().position;
            if head > self.seen {
                return self.read(head).await;
            }
            if self.heads.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn read(&mut self, head: Position) -> Result<Batch, ReadError> {
        let page = self.log.read(self.seen, head, &self.kinds, BATCH).await?;
        self.seen = page.upto;
        Ok(Batch {
            entries: page.entries,
            upto: page.upto,
            at_head: page.upto >= head,
        })
    }
}
