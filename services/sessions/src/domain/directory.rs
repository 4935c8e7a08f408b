//! Every session of the installation, by its token's digest: what Check is answered from.

use std::collections::{HashMap, HashSet};

use sekisho_eventlog::{Entry, FlowId, Position, Recorded, StreamId};
use sekisho_evidence::{Cuts, Refusal};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent, SystemEvent};
use sekisho_proto::sessions::v1::{SessionExtended, SessionStarted};
use sekisho_proto::{EventError, Kind};
use time::OffsetDateTime;

use super::digest::StateDigest;
use super::ids::SessionId;
use super::kept::{Cancelled, Ended, Keep};
use super::limits::{Limits, Live};
use super::member::Member;
use super::session::{Session, Stage};
use super::state::{OpenSession, activity};
use super::token::TokenDigest;
use super::why::Why;

/// A fold of the kinds `account`, `code`, `session` and `system`, in the order of the log.
///
/// Holds sessions that are open, those that ended lately, the newest cuts of accounts that have any, and flows that
/// were cancelled in the last half hour.
#[derive(Debug, Default, PartialEq)]
pub struct Directory {
    sessions: HashMap<TokenDigest, Session>,
    tokens: HashMap<SessionId, TokenDigest>,
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

    /// Folds one more entry.
    ///
    /// # Errors
    /// [`EventError`] for an entry that this version does not understand. It is folded all the same: as the worst that
    /// it could be to its account, and as nothing to others.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), EventError> {
        let understood = self.fold_event(entry);
        if understood.is_err() {
            let account = entry.recorded.stream;
            self.set_cuts(account, self.own_cuts(account).and(worst(entry)));
            if entry.kind == Kind::Session && self.undecidable.insert(account) {
                self.digest.add(Member::undecidable(account).as_bytes());
            }
        }
        self.forget(entry.recorded.recorded_at);
        understood
    }

    fn fold_event(&mut self, entry: &Entry) -> Result<(), EventError> {
        match entry.kind {
            Kind::Account => self.fold_account(&entry.event()?, &entry.recorded),
            Kind::Code => self.fold_code(&entry.event()?, &entry.recorded),
            Kind::Session => self.fold_session(&entry.event()?, &entry.recorded),
            Kind::System => self.fold_system(&entry.event()?, &entry.recorded),
            Kind::Client | Kind::Audit => {}
        }
        Ok(())
    }

    /// The session of a token, alive or lately over.
    pub fn find(&self, token: TokenDigest) -> Option<&Session> {
        self.sessions.get(&token)
    }

    /// The session of this id, alive or lately over.
    pub fn with_id(&self, id: SessionId) -> Option<&Session> {
        self.find(*self.tokens.get(&id)?)
    }

    /// The live sessions of an account and until when they live, oldest first. Looks at all there are.
    pub fn live_of(&self, account: StreamId, now: OffsetDateTime, limits: &Limits) -> Vec<(&Session, Live)> {
        let own = self
            .sessions
            .values()
            .filter(|session| session.account == account);
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
        self.sessions.values().filter(|session| match session.stage {
            Stage::Open | Stage::Stillborn(_) => !self.undecidable.contains(&session.account),
            Stage::Over(_) => false,
        })
    }

    /// The digest of all this, without what only this replica has seen.
    pub fn digest(&self) -> StateDigest {
        self.digest
    }

    /// The sessions that are not the same in another directory, or not in both; in the order of their ids.
    pub fn differing(&self, other: &Self) -> Vec<SessionId> {
        let here = self.sessions.iter();
        let changed = here.filter(|(token, session)| other.find(**token) != Some(*session));
        let missing = other
            .sessions
            .iter()
            .filter(|(token, _)| self.find(**token).is_none());
        let mut ids: Vec<_> = changed.chain(missing).map(|(_, session)| session.id).collect();
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
        self.sessions.is_empty()
    }

    fn fold_account(&mut self, event: &AccountEvent, recorded: &Recorded) {
        let before = self.own_cuts(recorded.stream);
        self.set_cuts(recorded.stream, before.after_account(event, recorded.position));
    }

    fn fold_code(&mut self, event: &CodeEvent, recorded: &Recorded) {
        match event {
            CodeEvent::FlowCancelled(_) => {
                if let Some(flow) = recorded.flow
                    && self.cancelled.push(recorded.recorded_at, flow)
                {
                    self.digest
                        .add(Member::cancelled(recorded.recorded_at, flow).as_bytes());
                }
            }
            CodeEvent::CodeIssued(_)
            | CodeEvent::MailStarted(_)
            | CodeEvent::Mailed(_)
            | CodeEvent::MailFailed(_)
            | CodeEvent::CodeRejected(_)
            | CodeEvent::CodeAccepted(_) => {}
        }
    }

    fn fold_session(&mut self, event: &SessionEvent, recorded: &Recorded) {
        let before = self.own_cuts(recorded.stream);
        self.set_cuts(recorded.stream, before.after_session(event, recorded.position));
        match event {
            SessionEvent::SessionStarted(started) => {
                for id in &started.ended {
                    self.end(id, Why::Displaced, recorded);
                }
                self.start(started, recorded);
            }
            SessionEvent::SessionExtended(extended) => self.extend(extended, recorded),
            SessionEvent::SessionEnded(ended) => {
                for id in &ended.session_ids {
                    self.end(id, ended.why().into(), recorded);
                }
            }
            SessionEvent::SessionsCut(_) => {}
        }
    }

    fn fold_system(&mut self, event: &SystemEvent, recorded: &Recorded) {
        match event {
            SystemEvent::EpochStarted(_) => {
                if self.epoch > Position(0) {
                    self.digest.remove(Member::epoch(self.epoch).as_bytes());
                }
                self.epoch = recorded.position;
                self.digest.add(Member::epoch(self.epoch).as_bytes());
            }
            SystemEvent::ClockAccepted(_) => {}
        }
    }

    fn start(&mut self, event: &SessionStarted, recorded: &Recorded) {
        let Some(started) = OpenSession::of(event, recorded) else {
            return;
        };
        let cuts = self.cuts_of(recorded.stream);
        let stage = if self.cancelled.contains(started.flow) {
            Stage::Stillborn(Refusal::Cancelled)
        } else if cuts.flow_lives(started.minted) {
            Stage::Open
        } else {
            Stage::Stillborn(Refusal::Cut)
        };
        let (id, token) = (started.id, started.token);
        let session = Session::new(started, recorded.stream, stage);
        self.digest.add(Member::session(token, &session).as_bytes());
        // Nobody derives one token twice; of a log that says so the newer one counts.
        if let Some(before) = self.sessions.insert(token, session) {
            self.digest.remove(Member::session(token, &before).as_bytes());
            self.tokens.remove(&before.id);
        }
        self.tokens.insert(id, token);
    }

    fn extend(&mut self, event: &SessionExtended, recorded: &Recorded) {
        let Some(active_at) = activity(event) else { return };
        self.change(&event.session_id, recorded.stream, |session| {
            session.extend(active_at);
        });
    }

    fn end(&mut self, id: &[u8], why: Why, recorded: &Recorded) {
        let over = |session: &mut Session| session.stage = Stage::Over(why);
        if let Some(token) = self.change(id, recorded.stream, over) {
            self.digest
                .add(Member::ended(recorded.recorded_at, token).as_bytes());
            self.ended.push(recorded.recorded_at, token);
        }
    }

    /// Changes a session without a recorded end, of the account in whose stream an event names it.
    fn change(
        &mut self,
        id: &[u8],
        account: StreamId,
        change: impl FnOnce(&mut Session),
    ) -> Option<TokenDigest> {
        let token = *self.tokens.get(&SessionId::try_from(id).ok()?)?;
        let session = self.sessions.get_mut(&token)?;
        let own = session.account == account && !matches!(session.stage, Stage::Over(_));
        own.then(|| {
            self.digest.remove(Member::session(token, session).as_bytes());
            change(session);
            self.digest.add(Member::session(token, session).as_bytes());
            token
        })
    }

    fn forget(&mut self, now: OffsetDateTime) {
        while let Some((at, flow)) = self.cancelled.pop(now) {
            self.digest.remove(Member::cancelled(at, flow).as_bytes());
        }
        while let Some((at, token)) = self.ended.pop(now, self.keep) {
            self.digest.remove(Member::ended(at, token).as_bytes());
            self.drop_session(token);
        }
    }

    fn drop_session(&mut self, token: TokenDigest) {
        if let Some(session) = self.sessions.remove(&token) {
            self.digest.remove(Member::session(token, &session).as_bytes());
            self.tokens.remove(&session.id);
        }
    }

    fn cuts_of(&self, account: StreamId) -> Cuts {
        self.own_cuts(account).and(Cuts::by_epoch(self.epoch))
    }

    fn own_cuts(&self, account: StreamId) -> Cuts {
        self.cuts.get(&account).copied().unwrap_or_default()
    }

    /// Most accounts have no cut and take no memory.
    fn set_cuts(&mut self, account: StreamId, cuts: Cuts) {
        if cuts == self.own_cuts(account) {
            return;
        }
        if let Some(before) = self.cuts.insert(account, cuts) {
            self.digest.remove(Member::cuts(account, before).as_bytes());
        }
        self.digest.add(Member::cuts(account, cuts).as_bytes());
    }
}

/// What an event could do at the most. Those of kind `code` end flows and never a session.
fn worst(entry: &Entry) -> Cuts {
    let position = entry.recorded.position;
    let all = match entry.kind {
        Kind::Account | Kind::Session => position,
        Kind::Code | Kind::Client | Kind::System | Kind::Audit => Position(0),
    };
    Cuts { all, flows: position }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
