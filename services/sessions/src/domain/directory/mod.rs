//! Every session of the installation: what Check is answered from.

mod fold;
mod snapshot;

pub use snapshot::snapshot_version;

use std::collections::{HashMap, HashSet};

use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_evidence::Cuts;
use time::OffsetDateTime;

use super::digest::StateDigest;
use super::ids::SessionId;
use super::kept::{Cancelled, Ended, Keep};
use super::limits::{Limits, Live};
use super::session::{Session, Stage};
use super::table::Table;
use super::token::TokenDigest;
use super::why::Why;

/// A fold of the kinds `account`, `code`, `session` and `system`, in the order of the log.
///
/// Holds sessions that are open, those that ended lately, the newest cuts of accounts that have any, and flows that
/// were cancelled in the last half hour.
#[derive(Debug, Default, PartialEq)]
pub struct Directory {
    sessions: Table,
    cuts: HashMap<StreamId, Cuts>,
    /// Where the newest EpochStarted stands, a cut for all accounts.
    epoch: Position,
    /// Accounts whose stream of sessions holds an entry that this version does not understand.
    undecidable: HashSet<StreamId>,
    cancelled: Cancelled,
    ended: Ended,
    keep: Keep,
    digest: StateDigest,
}

/// Activity that this replica has seen and the log does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// Whose session.
    pub account: StreamId,
    /// Which session.
    pub session: SessionId,
    /// When it was used.
    pub active_at: OffsetDateTime,
}

/// An end that no entry says yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Whose session.
    pub account: StreamId,
    /// The flow that led to it.
    pub flow: FlowId,
    /// Which session.
    pub session: SessionId,
    /// How it ended.
    pub why: Why,
}

impl Activity {
    fn of(session: &Session) -> Self {
        Self {
            account: session.account,
            session: session.id,
            active_at: session.active_at(),
        }
    }
}

impl Directory {
    /// An empty directory with a memory of its own size.
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    /// The session of a token, alive or lately over.
    pub fn find(&self, token: TokenDigest) -> Option<&Session> {
        self.sessions.with_token(token)
    }

    /// The session of this id, alive or lately over.
    pub fn with_id(&self, id: SessionId) -> Option<&Session> {
        self.sessions.with_id(id)
    }

    /// The live sessions of an account and until when they live, oldest first. Looks at all there are.
    pub fn live_of(&self, account: StreamId, now: OffsetDateTime, limits: &Limits) -> Vec<(&Session, Live)> {
        let own = self.sessions.iter().filter(|session| session.account == account);
        let live = own.filter_map(|session| Some((session, self.standing(session, now, limits).ok()?)));
        let mut live: Vec<_> = live.collect();
        live.sort_by_key(|(session, _)| session.position);
        live
    }

    /// Until when a session lives.
    ///
    /// # Errors
    /// How it ended.
    pub fn standing(&self, session: &Session, now: OffsetDateTime, limits: &Limits) -> Result<Live, Why> {
        session.standing(self.cuts_of(session.account), now, limits)
    }

    /// Sessions that have ended without an entry that says so, at most `limit`. By idleness only when the log itself says
    /// so and time enough has passed for every replica to have recorded what it saw. Left out are accounts on which
    /// nothing can be decided: they would take the place of others in each sweep.
    pub fn unrecorded_ends(&self, now: OffsetDateTime, limits: &Limits, limit: usize) -> Vec<Ending> {
        let dead = self.open_sessions().filter_map(|session| {
            let why = match self.standing(session, now, limits).err()? {
                Why::Idle | Why::Absolute => session.certainly_expired(now, limits)?,
                certain => certain,
            };
            Some(Ending {
                account: session.account,
                flow: session.flow,
                session: session.id,
                why,
            })
        });
        dead.take(limit).collect()
    }

    /// Activity that should be recorded by now.
    pub fn due_activity(&self, now: OffsetDateTime, limits: &Limits) -> Vec<Activity> {
        self.activity(now, limits, |session| session.is_due(now, limits))
    }

    /// All activity that is not recorded.
    pub fn all_activity(&self, now: OffsetDateTime, limits: &Limits) -> Vec<Activity> {
        self.activity(now, limits, |session| session.has_news(limits))
    }

    /// Activity of a session that must be recorded before it is answered, if there is any.
    pub fn urgent_activity(
        &self,
        token: TokenDigest,
        now: OffsetDateTime,
        limits: &Limits,
    ) -> Option<Activity> {
        let session = self.find(token)?;
        session.is_urgent(now, limits).then(|| Activity::of(session))
    }

    fn activity(
        &self,
        now: OffsetDateTime,
        limits: &Limits,
        wanted: impl Fn(&Session) -> bool,
    ) -> Vec<Activity> {
        let alive = |session: &&Session| self.standing(session, now, limits).is_ok();
        let wanted = self.open_sessions().filter(|session| wanted(session));
        wanted.filter(alive).map(Activity::of).collect()
    }

    /// Sessions without a recorded end, on whose account something can be decided.
    fn open_sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| match session.stage {
            Stage::Open | Stage::Stillborn(_) => !self.undecidable.contains(&session.account),
            Stage::Over(_) => false,
        })
    }

    /// Where the newest EpochStarted stands; 0 before the first.
    pub fn epoch(&self) -> Position {
        self.epoch
    }

    /// The digest of all this, without what only this replica has seen.
    pub fn digest(&self) -> StateDigest {
        self.digest
    }

    /// The sessions that are not the same in another directory, or not in both; in the order of their ids.
    pub fn differing(&self, other: &Self) -> Vec<SessionId> {
        let here = self.sessions.iter();
        let changed = here.filter(|session| other.find(session.token) != Some(*session));
        let there = other.sessions.iter();
        let missing = there.filter(|session| self.find(session.token).is_none());
        let mut ids: Vec<_> = changed.chain(missing).map(|session| session.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// How many sessions are remembered, open and over.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether no session is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn cuts_of(&self, account: StreamId) -> Cuts {
        self.own_cuts(account).and(Cuts::by_epoch(self.epoch))
    }

    fn own_cuts(&self, account: StreamId) -> Cuts {
        self.cuts.get(&account).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
