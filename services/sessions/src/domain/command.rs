//! Commands on the sessions of one account, and what follows from them.

use sekisho_eventlog::{Decision, FlowId};
use sekisho_evidence::{Minted, Proof, Refusal};
use sekisho_proto::events::SessionEvent;
use sekisho_proto::sessions::v1::{SessionEnded, SessionStarted, SessionsCut};

use super::ids::SessionId;
use super::state::{AccountSessions, ROOM};
use super::token::TokenDigest;
use super::why::Why;

/// What is asked of the sessions of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Open a session.
    Start(Start),
    /// End one.
    End {
        /// Which.
        session: SessionId,
        /// Asked for, or found out.
        why: Why,
    },
    /// End them all, and every flow that has not become one.
    Cut,
}

/// A session that would start. Its evidence is what `Flow::evidence` found in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The event that minted the flow.
    pub minted: Minted,
    /// The accepted code.
    pub proof: Proof,
    /// SHA-256 of the token that the session will have.
    pub token: TokenDigest,
    /// The id that the session will have.
    pub session: SessionId,
}

/// What a command leads to.
///
/// # Errors
/// For a start: [`Refusal::Used`] if the flow has become a session, [`Refusal::Cut`] if it stands behind a cut of this
/// stream.
pub fn decide(state: &AccountSessions, command: Command) -> Result<Decision<SessionEvent>, Refusal> {
    match command {
        Command::Start(start) => start.decide(state),
        Command::End { session, why } if state.is_open(session) => {
            let ended = SessionEnded {
                session_ids: vec![session.to_vec()],
                why: why.to_proto().into(),
            };
            Ok(Decision::Record(ended.into()))
        }
        Command::End { .. } => Ok(Decision::Nothing),
        // Also without an open session: it ends unfinished flows too, of which this stream knows nothing.
        Command::Cut => Ok(Decision::Record(SessionsCut {}.into())),
    }
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
        let oldest = state.open.iter().take(too_many);
        let started = SessionStarted {
            session_id: self.session.to_vec(),
            token_digest: self.token.0.to_vec(),
            minted: self.minted.position.0,
            evidence: vec![self.minted.position.0, self.proof.position.0],
            ended: oldest.map(|session| session.id.to_vec()).collect(),
        };
        // By then the code that was accepted is no evidence any more.
        Ok(Decision::RecordBefore(started.into(), self.proof.good_until()))
    }
}

fn is_used(state: &AccountSessions, flow: FlowId) -> bool {
    state.used_flows.contains(&flow) || state.open.iter().any(|session| session.flow == flow)
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
