//! Commands on the sessions of one account, and what follows from them.

use sekisho_eventlog::{Decision, FlowId};
use sekisho_evidence::{Minted, Proof, Refusal};
use sekisho_proto::events::SessionEvent;
use sekisho_proto::sessions::v1::{SessionEnded, SessionExtended, SessionStarted, SessionsCut};
use sekisho_proto::to_timestamp;
use time::OffsetDateTime;

use super::ids::SessionId;
use super::limits::Limits;
use super::state::{AccountSessions, OpenSession, ROOM};
use super::token::TokenDigest;
use super::why::Why;

/// What is asked of the sessions of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Open a session.
    Start(Box<Start>),
    /// Record activity.
    Extend {
        /// Of which session.
        session: SessionId,
        /// When.
        active_at: OffsetDateTime,
        /// How long sessions live.
        limits: Limits,
    },
    /// End one.
    End {
        /// Which.
        session: SessionId,
        /// Asked for, or found out.
        why: Why,
    },
    /// End all but one, whose owner asks for it; nothing if that one has ended.
    EndOthers {
        /// Which stays.
        keep: SessionId,
    },
    /// Record that one has run out.
    Expire {
        /// Which.
        session: SessionId,
        /// The log's time.
        now: OffsetDateTime,
        /// How long sessions live.
        limits: Limits,
    },
    /// End them all, and every flow that has not become one.
    Cut,
}

/// A session that would start. Its evidence is what `Flow::evidence` found in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The event that minted the flow.
    pub minted: Minted,
    /// The accepted code, or the accepted identity itself.
    pub proof: Proof,
    /// SHA-256 of the token that the session will have.
    pub token: TokenDigest,
    /// The id that the session will have.
    pub session: SessionId,
    /// The log's time.
    pub now: OffsetDateTime,
    /// How long sessions live.
    pub limits: Limits,
}

/// Why a command leads to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The flow opens no session.
    #[error(transparent)]
    Flow(Refusal),
    /// The session had ended, or had run out by then.
    #[error("the session is over")]
    Over,
}

/// What a command leads to.
///
/// # Errors
/// For a start: [`Refusal::Used`] if the flow has become a session, [`Refusal::Cut`] if it stands behind a cut of this
/// stream.
/// For activity: [`Rejection::Over`].
pub fn decide(state: &AccountSessions, command: &Command) -> Result<Decision<SessionEvent>, Rejection> {
    match *command {
        Command::Start(ref start) => start.decide(state).map_err(Rejection::Flow),
        Command::Extend {
            session,
            active_at,
            limits,
        } => extend(state, session, active_at, limits),
        Command::End { session, why } => Ok(match state.find(session) {
            Some(_) => end(&[session], why),
            None => Decision::Nothing,
        }),
        Command::EndOthers { keep } => {
            let others: Vec<_> = state.others(keep).map(|other| other.id).collect();
            Ok(match state.find(keep) {
                Some(_) if !others.is_empty() => end(&others, Why::Revoked),
                Some(_) | None => Decision::Nothing,
            })
        }
        Command::Expire { session, now, limits } => Ok(match state.find(session) {
            Some(open) => match open.expired(now, limits) {
                Some(why) => end(&[session], why),
                None => Decision::Nothing,
            },
            None => Decision::Nothing,
        }),
        // Also without an open session: it ends unfinished flows too, of which this stream knows nothing.
        Command::Cut => Ok(Decision::Record(SessionsCut {}.into())),
    }
}

/// Activity after the end brings nothing back to life, whenever it is recorded.
fn extend(
    state: &AccountSessions,
    id: SessionId,
    active_at: OffsetDateTime,
    limits: Limits,
) -> Result<Decision<SessionEvent>, Rejection> {
    let open = state
        .find(id)
        .filter(|session| session.expired(active_at, limits).is_none())
        .ok_or(Rejection::Over)?;
    if active_at <= open.active_at {
        return Ok(Decision::Nothing);
    }
    let extended = SessionExtended {
        session_id: id.to_vec(),
        active_at: Some(to_timestamp(active_at)),
    };
    Ok(Decision::Record(extended.into()))
}

fn end(sessions: &[SessionId], why: Why) -> Decision<SessionEvent> {
    let ended = SessionEnded {
        session_ids: sessions.iter().map(|session| session.to_vec()).collect(),
        why: why.to_proto().into(),
    };
    Decision::Record(ended.into())
}

impl Start {
    fn decide(&self, state: &AccountSessions) -> Result<Decision<SessionEvent>, Refusal> {
        if is_used(state, self.minted.flow) {
            return Err(Refusal::Used);
        }
        if !state.cuts().flow_lives(self.minted.position) {
            return Err(Refusal::Cut);
        }
        let too_many = (state.open.len() + 1).saturating_sub(ROOM);
        let (over, alive): (Vec<&OpenSession>, Vec<&OpenSession>) = state
            .open
            .iter()
            .partition(|session| session.expired(self.now, self.limits).is_some());
        let displaced = over.into_iter().chain(alive).take(too_many);
        let started = SessionStarted {
            session_id: self.session.to_vec(),
            token_digest: self.token.0.to_vec(),
            minted: self.minted.position.0,
            evidence: self.evidence(),
            ended: displaced.map(|session| session.id.to_vec()).collect(),
            previous_started_at: state.last_started_at.map(to_timestamp),
            device: self.minted.device.map(Vec::from).unwrap_or_default(),
            new_device: self.minted.device.is_some_and(|device| state.is_new(device)),
        };
        // By then the code that was accepted is no evidence any more.
        Ok(Decision::RecordBefore(started.into(), self.proof.good_until()))
    }

    /// Where it stands; an accepted identity is both.
    fn evidence(&self) -> Vec<u64> {
        let mut positions = vec![self.minted.position.0, self.proof.position.0];
        positions.dedup();
        positions
    }
}

fn is_used(state: &AccountSessions, flow: FlowId) -> bool {
    state.used_flows.contains(&flow) || state.open.iter().any(|session| session.flow == flow)
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
