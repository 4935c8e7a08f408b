//! The use cases: gather facts, decide, answer.

mod administer;
mod check;
mod drain;
mod end;
mod error;
mod extend;
mod follow;
mod fresh;
mod history;
mod snapshots;
mod start;
mod sweep;
mod tell;
mod verify;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sekisho_eventlog::{Context, Decided, Facts, Log};
use sekisho_service::roles;
use tokio::time::timeout;

pub use check::Checked;
pub use end::Ended;
pub use error::Error;
pub use history::{History, Open};
pub use start::Started;
pub use verify::Verified;

use fresh::SOON;

use crate::domain::{AccountSessions, Command, Limits, Tombstones, decide};
use crate::head::HeadReads;
use crate::keys::Keys;
use crate::view::View;

/// Who acts in events that no person asked for by name.
const ACTOR: &str = roles::SESSIONS;

/// Whether an answer is the log's of now, or what a replica remembers of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// Now.
    Now,
    /// At some time before.
    Before,
}

/// Sessions over one log. Cheap to clone; [`Sessions::follow`] must run for it to answer anything.
#[derive(Debug, Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    log: Log,
    limits: Limits,
    view: View,
    head_reads: HeadReads,
    verifying: tokio::sync::Mutex<()>,
    keys: Keys,
    tombstones: Mutex<Tombstones>,
    closed_hosts: Mutex<Option<BTreeSet<String>>>,
    histories: tokio::sync::Semaphore,
    beginning: tokio::sync::Mutex<Option<history::Beginning>>,
    latest_snapshot: Mutex<Option<snapshots::Latest>>,
}

impl Sessions {
    /// Sessions over a log, knowing nothing yet; `keys` seal what replicas tell each other.
    pub fn new(log: Log, limits: Limits, keys: Keys) -> Self {
        Self {
            inner: Arc::new(Inner {
                log,
                limits,
                view: View::new(),
                head_reads: HeadReads::default(),
                verifying: tokio::sync::Mutex::default(),
                keys,
                tombstones: Mutex::default(),
                closed_hosts: Mutex::default(),
                histories: tokio::sync::Semaphore::new(history::READERS),
                beginning: tokio::sync::Mutex::default(),
                latest_snapshot: Mutex::default(),
            }),
        }
    }

    /// Whether two replicas have folded the same log to the same state.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.inner
            .view
            .ask(|mine| other.inner.view.ask(|theirs| mine == theirs))
    }

    /// The hosts of the portal that are closed for people; while the log cannot be read, those of the last time it could, about
    /// which another replica may know better.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`] while the log cannot be read and never could.
    pub async fn closed_hosts(&self) -> Result<(BTreeSet<String>, Confirmed), Error> {
        let read = timeout(SOON, self.inner.log.closed_hosts()).await;
        let mut last = self
            .inner
            .closed_hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Ok(Ok(read)) = read {
            *last = Some(read.clone());
            return Ok((read, Confirmed::Now));
        }
        let remembered = last.clone().ok_or(Error::Unconfirmed)?;
        Ok((remembered, Confirmed::Before))
    }

    /// How many sessions are remembered, open and lately over.
    pub fn remembered(&self) -> usize {
        self.inner.view.ask(crate::domain::Directory::len)
    }

    fn tombstones(&self) -> MutexGuard<'_, Tombstones> {
        self.inner
            .tombstones
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides a command that needs nothing but its stream.
    async fn decide(&self, context: &Context, command: Command) -> Result<Decided<AccountSessions>, Error> {
        let decide = |facts: &Facts<AccountSessions>| decide(&facts.state, &command).map_err(Error::from);
        Ok(self.inner.log.decide(context, decide).await?)
    }
}
