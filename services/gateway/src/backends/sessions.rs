//! Calls to sessions.

use sekisho_proto::from_timestamp;
use sekisho_proto::sessions::v1 as proto;
use time::OffsetDateTime;

use super::{Backends, DEADLINE, Fault, read, within};
use crate::cookies::{Flow, Session};
use crate::secret::Secret;

/// A session that has begun.
#[derive(Debug)]
pub struct Started {
    /// For the cookie.
    pub session: Session,
    /// Where it stands in the log.
    pub position: u64,
    /// When the account's session before it started.
    pub previous_started_at: Option<OffsetDateTime>,
}

/// What became of a session that was to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The log says so, or it was over already.
    Recorded,
    /// Nobody accepts it any more, and the log will say so when it can be reached.
    Unrecorded,
}

impl Backends {
    /// Opens a session on the evidence of a flow.
    ///
    /// # Errors
    /// [`super::Reason::EvidenceMissing`], [`super::Reason::FlowOver`]; otherwise the service is down.
    pub async fn start(&self, flow: &Flow) -> Result<Started, Fault> {
        const CALL: &str = "Start";
        let question = proto::StartRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.expose().to_vec(),
        };
        let mut sessions = self.sessions.clone();
        let answer = read(CALL, sessions.start(within(DEADLINE, question)).await)?;
        let token = Secret::from_service(&answer.token).ok_or_else(|| Fault::incomplete(CALL))?;
        Ok(Started {
            session: Session { token },
            position: answer.position,
            previous_started_at: answer.previous_started_at.as_ref().and_then(from_timestamp),
        })
    }

    /// Whether a session is alive. Counts as activity.
    ///
    /// # Errors
    /// [`super::Reason::SessionOver`]; otherwise the service is down.
    pub async fn check(&self, session: &Session) -> Result<(), Fault> {
        let question = proto::CheckRequest {
            token: session.token.expose().to_vec(),
        };
        let mut sessions = self.sessions.clone();
        read("Check", sessions.check(within(DEADLINE, question)).await).map(drop)
    }

    /// Ends a session, also one that is over.
    ///
    /// # Errors
    /// The service is down.
    pub async fn end(&self, session: &Session) -> Result<Ended, Fault> {
        let question = proto::EndRequest {
            token: session.token.expose().to_vec(),
        };
        let mut sessions = self.sessions.clone();
        let answer = read("End", sessions.end(within(DEADLINE, question)).await)?;
        Ok(if answer.unrecorded {
            Ended::Unrecorded
        } else {
            Ended::Recorded
        })
    }
}
