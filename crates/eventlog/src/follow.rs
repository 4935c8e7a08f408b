//! Following the log: only what is read from it is folded, in order; messages only wake.

use sekisho_proto::Kind;
use tokio::sync::watch;

use crate::entry::Entry;
use crate::head::Known;
use crate::ids::Position;
use crate::log::Log;
use crate::read::ReadError;

/// Entries in one batch, at most.
const BATCH: u32 = 5_000;

/// How many entries to ask for: half as many after every read that did not come in time, an eighth more after one that
/// did. Else a slow network or disk would keep the same read from ever coming to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(u32);

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
    limit: Limit,
    history: u64,
    known: watch::Receiver<Known>,
}

impl Follower {
    pub(crate) fn new(log: Log, kinds: &[Kind], after: Position) -> Self {
        let known = log.watch();
        let history = known.borrow().history;
        Self {
            log,
            kinds: kinds.to_vec(),
            seen: after,
            limit: Limit(BATCH),
            history,
            known,
        }
    }

    /// Which log it follows, of those that took each other's place.
    pub fn history(&self) -> u64 {
        self.history
    }

    /// The next batch; waits until there is one.
    ///
    /// # Errors
    /// [`ReadError`]; the next call goes on where this one failed, but after [`ReadError::Replaced`], when whatever was
    /// folded is void and a new follower must begin anew.
    pub async fn next(&mut self) -> Result<Batch, ReadError> {
        loop {
            let (head, history) = {
                let known = self.known.borrow_and_update();
                (known.head.position, known.history)
            };
            if history != self.history {
                return Err(ReadError::Replaced);
            }
            if head > self.seen {
                return self.read(head).await;
            }
            if self.known.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn read(&mut self, head: Position) -> Result<Batch, ReadError> {
        let page = self.log.read(self.seen, head, &self.kinds, self.limit.0).await;
        self.limit = self.limit.after(page.is_ok());
        let page = page?;
        self.seen = page.upto;
        Ok(Batch {
            entries: page.entries,
            upto: page.upto,
            at_head: page.upto >= head,
        })
    }
}

impl Limit {
    fn after(self, in_time: bool) -> Self {
        let next = if in_time {
            self.0 + self.0 / 8 + 1
        } else {
            self.0 / 2
        };
        Self(next.clamp(1, BATCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_halves_until_it_comes_in_time_and_grows_again() {
        let mut limit = Limit(BATCH);
        for _ in 0..20 {
            limit = limit.after(false);
        }
        assert_eq!(limit, Limit(1));
        for _ in 0..100 {
            limit = limit.after(true);
        }
        assert_eq!(limit, Limit(BATCH));
    }
}
