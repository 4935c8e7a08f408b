//! One session, as the directory knows it.

use std::sync::atomic::{AtomicI64, Ordering};

use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_evidence::{Cuts, Refusal};
use time::{Duration, OffsetDateTime};

use super::ids::SessionId;
use super::limits::{Limits, Live};
use super::state::OpenSession;
use super::why::Why;

/// A session that has started.
#[derive(Debug, PartialEq)]
pub struct Session {
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
    /// By the log's clock.
    pub started_at: OffsetDateTime,
    /// How far it has come.
    pub stage: Stage,
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

/// The newest activity that this replica has seen, in microseconds since 1970. No part of the log, so two folds of one
/// log are equal whatever they have seen.
#[derive(Debug)]
struct Activity(AtomicI64);

impl Session {
    /// A session that has just started.
    pub(super) fn new(started: OpenSession, account: StreamId, stage: Stage) -> Self {
        Self {
            id: started.id,
            account,
            flow: started.flow,
            minted: started.minted,
            position: started.position,
            started_at: started.started_at,
            stage,
            activity: Activity(AtomicI64::new(to_micros(started.started_at))),
        }
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
        let absolute = self.started_at + limits.absolute;
        let idle = self.active_at() + limits.idle;
        if now >= absolute.min(idle) {
            return Err(if idle < absolute { Why::Idle } else { Why::Absolute });
        }
        Ok(Live {
            idle: idle.min(absolute),
            absolute,
        })
    }

    /// The newest activity that this replica has seen; at first the start.
    pub fn active_at(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::microseconds(self.activity.0.load(Ordering::Relaxed))
    }

    /// Somebody used the session.
    pub fn touch(&self, now: OffsetDateTime) {
        self.activity.0.fetch_max(to_micros(now), Ordering::Relaxed);
    }
}

impl PartialEq for Activity {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

fn to_micros(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}
