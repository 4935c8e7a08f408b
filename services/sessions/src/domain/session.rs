//! One session, as the directory knows it.

use std::sync::atomic::{AtomicI64, Ordering};

use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_evidence::{Cuts, Refusal};
use time::OffsetDateTime;

use super::ids::SessionId;
use super::limits::{Limits, Live};
use super::moment::Moment;
use super::state::OpenSession;
use super::token::TokenDigest;
use super::why::Why;

/// A session that has started. A million of them are held at a time, so its moments are stored as small as they are exact.
#[derive(Debug, PartialEq)]
pub struct Session {
    /// SHA-256 of its token.
    pub token: TokenDigest,
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub account: StreamId,
    /// The flow that led to it.
    pub flow: FlowId,
    /// Where that flow was minted; decides against cuts.
    pub minted: Position,
    /// Where SessionStarted stands.
    pub position: Position,
    /// How far it has come.
    pub stage: Stage,
    started: Moment,
    /// The newest activity that the log holds; at first the start.
    recorded: Moment,
    activity: Activity,
}

/// How far a session has come, by the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing has ended it; whether it still lives is a question of cuts and of time.
    Open,
    /// A cut or a FlowCancelled came between the reading of its evidence and its SessionStarted: it never lived.
    Stillborn(Refusal),
    /// Its end is recorded.
    Over(Why),
}

/// The newest activity that this replica has seen, as a [`Moment`]. No part of the log, so two folds of one log are equal
/// whatever they have seen.
#[derive(Debug)]
struct Activity(AtomicI64);

impl Session {
    /// A session that has just started.
    pub(super) fn new(started: OpenSession, account: StreamId, stage: Stage) -> Self {
        let active = Moment::from(started.active_at);
        Self {
            token: started.token,
            id: started.id,
            account,
            flow: started.flow,
            minted: started.minted,
            position: started.position,
            stage,
            started: started.started_at.into(),
            recorded: active,
            activity: Activity(AtomicI64::new(active.0)),
        }
    }

    /// When it started, by the log's clock.
    pub fn started_at(&self) -> OffsetDateTime {
        self.started.into()
    }

    /// Until when it lives.
    ///
    /// # Errors
    /// How it ended; of two deadlines, the one that came first.
    pub(super) fn standing(&self, cuts: Cuts, now: OffsetDateTime, limits: &Limits) -> Result<Live, Why> {
        match self.stage {
            Stage::Over(why) => return Err(why),
            Stage::Stillborn(_) => return Err(Why::Cut),
            Stage::Open if !cuts.session_lives(self.minted) => return Err(Why::Cut),
            Stage::Open => {}
        }
        match limits.expired(self.started_at(), self.active_at(), now) {
            Some(why) => Err(why),
            None => Ok(limits.live(self.started_at(), self.active_at())),
        }
    }

    /// The newest activity that this replica has seen; at first the start.
    pub fn active_at(&self) -> OffsetDateTime {
        Moment(self.activity.0.load(Ordering::Relaxed)).into()
    }

    /// The newest activity that the log holds; at first the start.
    pub(super) fn recorded_at(&self) -> OffsetDateTime {
        self.recorded.into()
    }

    /// Whether this replica has seen activity that should be recorded by now.
    pub(super) fn is_due(&self, now: OffsetDateTime, limits: &Limits) -> bool {
        self.has_news(limits)
            && (now - self.recorded_at() >= limits.extend_after() || self.is_last(now, limits))
    }

    /// Whether this replica has seen activity that must be recorded before it is answered.
    pub(super) fn is_urgent(&self, now: OffsetDateTime, limits: &Limits) -> bool {
        self.has_news(limits) && self.is_last(now, limits)
    }

    /// Whether this replica has seen activity that the log does not hold and that moves the end.
    pub(super) fn has_news(&self, limits: &Limits) -> bool {
        let recorded = limits.live(self.started_at(), self.recorded_at());
        self.active_at() > self.recorded_at() && recorded.idle < recorded.absolute
    }

    /// Whether it would end soon by what is recorded.
    fn is_last(&self, now: OffsetDateTime, limits: &Limits) -> bool {
        now >= limits.live(self.started_at(), self.recorded_at()).idle - limits.margin()
    }

    /// How it has run out by what is recorded alone, the margin passed as well: nobody can still be recording activity.
    pub(super) fn certainly_expired(&self, now: OffsetDateTime, limits: &Limits) -> Option<Why> {
        limits.expired(self.started_at(), self.recorded_at(), now - limits.margin())
    }

    /// The log holds activity.
    pub(super) fn extend(&mut self, active_at: OffsetDateTime) {
        self.recorded = self.recorded.max(active_at.into());
        self.saw(active_at);
    }

    /// Somebody used the session. `false`, and nothing is kept, if by what is recorded it has run out and only what this
    /// replica has seen keeps it alive: the log must hold that first, or it could never hold what came after.
    #[must_use]
    pub fn touch(&self, now: OffsetDateTime, limits: &Limits) -> bool {
        let follows = now < limits.live(self.started_at(), self.recorded_at()).idle;
        if follows {
            self.saw(now);
        }
        follows
    }

    fn saw(&self, active_at: OffsetDateTime) {
        self.activity
            .0
            .fetch_max(Moment::from(active_at).0, Ordering::Relaxed);
    }
}

impl PartialEq for Activity {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
