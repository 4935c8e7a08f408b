//! The sessions of one account, as commands are decided on them.

use std::collections::VecDeque;

use prost::Message;
use sekisho_eventlog::{Carry, FlowId, Fold, Position, Recorded};
use sekisho_evidence::{Cuts, SESSIONS_FOLD};
use sekisho_proto::events::SessionEvent;
use sekisho_proto::sessions::v1::sessions_state;
use sekisho_proto::sessions::v1::{SessionExtended, SessionStarted, SessionsState};
use sekisho_proto::{from_timestamp, to_timestamp};
use time::OffsetDateTime;

use super::ids::SessionId;
use super::limits::Limits;
use super::token::TokenDigest;
use super::why::Why;

/// Open sessions of one account, at most (design, "Flows" 4).
pub const ROOM: usize = 5;

/// Flows remembered as used. The flow's own entries say so too, for ever; this makes it the stream's version check.
pub(super) const USED_FLOWS: usize = 64;

/// Browsers of one account that are remembered, as in credentials.
pub(super) const DEVICES: usize = 10;

/// The sessions of one account: what SessionStarted opened and nothing has ended. Expiry is no event, so a session
/// that has run out stands here until its end is recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountSessions {
    /// Oldest first.
    pub open: Vec<OpenSession>,
    /// Where the newest SessionsCut stands; 0 without one.
    pub newest_cut: Position,
    /// The newest flows that have become a session, newest last.
    pub used_flows: VecDeque<FlowId>,
    /// When the newest session started, whatever became of it.
    pub last_started_at: Option<OffsetDateTime>,
    /// Browsers in which sessions were started, newest last. Cuts make none of them new.
    pub devices: VecDeque<[u8; 32]>,
}

/// A session that has started and not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSession {
    /// Its id.
    pub id: SessionId,
    /// SHA-256 of its token.
    pub token: TokenDigest,
    /// The flow that led to it.
    pub flow: FlowId,
    /// Where that flow was minted; decides against cuts.
    pub minted: Position,
    /// Where SessionStarted stands.
    pub position: Position,
    /// By the log's clock.
    pub started_at: OffsetDateTime,
    /// The newest activity that is recorded; at first the start.
    pub active_at: OffsetDateTime,
}

impl OpenSession {
    /// The session that an event opens; `None` for an event that names no session, which no version of this service
    /// has written.
    pub fn of(event: &SessionStarted, recorded: &Recorded) -> Option<Self> {
        Some(Self {
            id: SessionId::try_from(event.session_id.as_slice()).ok()?,
            token: TokenDigest::read(&event.token_digest)?,
            flow: recorded.flow?,
            minted: Position(event.minted),
            position: recorded.position,
            started_at: recorded.recorded_at,
            active_at: recorded.recorded_at,
        })
    }
}

impl OpenSession {
    /// How it had run out at a moment, by what is recorded; of two deadlines, by the one that came first.
    pub fn expired(&self, now: OffsetDateTime, limits: Limits) -> Option<Why> {
        limits.expired(self.started_at, self.active_at, now)
    }
}

impl AccountSessions {
    /// An open session.
    pub fn find(&self, id: SessionId) -> Option<&OpenSession> {
        self.open.iter().find(|session| session.id == id)
    }

    /// All open sessions but one. Also those that have run out by what is recorded: another replica may still record activity.
    pub fn others(&self, keep: SessionId) -> impl Iterator<Item = &OpenSession> {
        self.open.iter().filter(move |session| session.id != keep)
    }

    /// Whether sessions were started in other browsers and never in this one. In the first one of all nobody is surprised.
    pub fn is_new(&self, device: [u8; 32]) -> bool {
        !self.devices.is_empty() && !self.devices.contains(&device)
    }

    /// The cuts of this stream.
    pub fn cuts(&self) -> Cuts {
        Cuts {
            all: self.newest_cut,
            ..Cuts::default()
        }
    }

    fn start(mut self, event: &SessionStarted, recorded: &Recorded) -> Self {
        self = self.end(&event.ended);
        if let Some(session) = OpenSession::of(event, recorded) {
            self.open.push(session);
            self.used_flows.push_back(session.flow);
        }
        if let Ok(device) = event.device.as_slice().try_into() {
            self.devices.retain(|known| *known != device);
            self.devices.push_back(device);
        }
        while self.devices.len() > DEVICES {
            self.devices.pop_front();
        }
        self.last_started_at = Some(recorded.recorded_at);
        while self.used_flows.len() > USED_FLOWS {
            self.used_flows.pop_front();
        }
        self
    }

    fn extend(mut self, event: &SessionExtended) -> Self {
        let extended = self
            .open
            .iter_mut()
            .find(|session| event.session_id == session.id.0.as_bytes());
        if let (Some(session), Some(active_at)) = (extended, activity(event)) {
            session.active_at = session.active_at.max(active_at);
        }
        self
    }

    fn end(mut self, ids: &[Vec<u8>]) -> Self {
        self.open
            .retain(|session| !ids.iter().any(|id| id == session.id.0.as_bytes()));
        self
    }
}

impl Fold for AccountSessions {
    type Event = SessionEvent;
    const VERSION: u32 = SESSIONS_FOLD;

    fn evolve(self, event: &SessionEvent, recorded: &Recorded) -> Self {
        match event {
            SessionEvent::SessionStarted(started) => self.start(started, recorded),
            SessionEvent::SessionExtended(extended) => self.extend(extended),
            SessionEvent::SessionEnded(ended) => self.end(&ended.session_ids),
            SessionEvent::SessionsCut(_) => Self {
                newest_cut: recorded.position,
                ..self
            },
        }
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        let state = SessionsState::decode(bytes).ok()?;
        let flow = |bytes: &Vec<u8>| FlowId::try_from(bytes.as_slice()).ok();
        let device = |bytes: &Vec<u8>| bytes.as_slice().try_into().ok();
        Some(Self {
            open: state.sessions.iter().map(resumed).collect::<Option<_>>()?,
            newest_cut: Position(state.newest_cut),
            used_flows: state.used_flows.iter().map(flow).collect::<Option<_>>()?,
            last_started_at: state.last_started_at.as_ref().and_then(from_timestamp),
            devices: state.devices.iter().map(device).collect::<Option<_>>()?,
        })
    }
}

impl Carry for AccountSessions {
    fn carry(&self) -> Vec<u8> {
        let state = SessionsState {
            sessions: self.open.iter().map(carried).collect(),
            newest_cut: self.newest_cut.0,
            used_flows: self.used_flows.iter().map(|flow| flow.to_vec()).collect(),
            last_started_at: self.last_started_at.map(to_timestamp),
            devices: self.devices.iter().map(|device| device.to_vec()).collect(),
        };
        state.encode_to_vec()
    }
}

/// When a session was used, as an event says it.
pub(super) fn activity(event: &SessionExtended) -> Option<OffsetDateTime> {
    from_timestamp(event.active_at.as_ref()?)
}

fn carried(session: &OpenSession) -> sessions_state::Session {
    sessions_state::Session {
        session_id: session.id.to_vec(),
        token_digest: session.token.0.to_vec(),
        flow_id: session.flow.to_vec(),
        minted: session.minted.0,
        position: session.position.0,
        started_at: Some(to_timestamp(session.started_at)),
        active_at: (session.active_at != session.started_at).then(|| to_timestamp(session.active_at)),
    }
}

fn resumed(session: &sessions_state::Session) -> Option<OpenSession> {
    let started_at = from_timestamp(session.started_at.as_ref()?)?;
    Some(OpenSession {
        id: SessionId::try_from(session.session_id.as_slice()).ok()?,
        token: TokenDigest::read(&session.token_digest)?,
        flow: FlowId::try_from(session.flow_id.as_slice()).ok()?,
        minted: Position(session.minted),
        position: Position(session.position),
        started_at,
        active_at: match &session.active_at {
            Some(active_at) => from_timestamp(active_at)?,
            None => started_at,
        },
    })
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
