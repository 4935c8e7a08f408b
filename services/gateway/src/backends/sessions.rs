//! Calls to sessions.

use std::collections::BTreeSet;

use sekisho_proto::from_timestamp;
use sekisho_proto::sessions::v1 as proto;
use sekisho_proto::sessions::v1::get_history_response::What;
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

/// How long a session lives, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Without anything further being done.
    pub idle: i64,
    /// Whatever is done.
    pub absolute: i64,
}

/// What its owner sees of an account.
#[derive(Debug, Default)]
pub struct History {
    /// Newest first.
    pub happenings: Vec<Happening>,
    /// Oldest first.
    pub sessions: Vec<OpenSession>,
}

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub struct Happening {
    /// When; the last time.
    pub at: OffsetDateTime,
    /// What.
    pub what: What,
    /// How often in a row.
    pub count: u32,
    /// The first time.
    pub first_at: OffsetDateTime,
}

/// A live session.
#[derive(Debug, Clone, Copy)]
pub struct OpenSession {
    /// Since when.
    pub started_at: OffsetDateTime,
    /// The one that asks.
    pub own: bool,
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

    /// Whether a session is alive, and for how long, if sessions tells that. Counts as activity.
    ///
    /// # Errors
    /// [`super::Reason::SessionOver`]; otherwise the service is down.
    pub async fn check(&self, session: &Session) -> Result<Option<Left>, Fault> {
        let question = proto::CheckRequest {
            token: session.token.expose().to_vec(),
        };
        let mut sessions = self.sessions.clone();
        let answer = read("Check", sessions.check(within(DEADLINE, question)).await)?;
        let now = answer.now.as_ref().and_then(from_timestamp);
        // The last second begun counts: whoever comes when it is over must not find the session alive.
        let until = |moment: Option<&prost_types::Timestamp>| {
            let left = moment.and_then(from_timestamp)? - now?;
            let begun = i64::from(left.subsec_nanoseconds() > 0);
            Some((left.whole_seconds() + begun).max(0))
        };
        let left = || {
            Some(Left {
                idle: until(answer.idle_deadline.as_ref())?,
                absolute: until(answer.absolute_deadline.as_ref())?,
            })
        };
        Ok(left())
    }

    /// What happened lately to the account of a session.
    ///
    /// # Errors
    /// [`super::Reason::SessionOver`]; otherwise the service is down.
    pub async fn history(&self, session: &Session) -> Result<History, Fault> {
        let question = proto::GetHistoryRequest {
            token: session.token.expose().to_vec(),
        };
        let mut sessions = self.sessions.clone();
        let answer = read(
            "GetHistory",
            sessions.get_history(within(DEADLINE, question)).await,
        )?;
        let happenings = answer.happenings.iter().filter_map(|happening| {
            Some(Happening {
                at: from_timestamp(happening.at.as_ref()?)?,
                what: happening.what(),
                count: happening.count,
                first_at: from_timestamp(happening.first_at.as_ref()?)?,
            })
        });
        let open = answer.sessions.iter().filter_map(|session| {
            Some(OpenSession {
                started_at: from_timestamp(session.started_at.as_ref()?)?,
                own: session.own,
            })
        });
        Ok(History {
            happenings: happenings.collect(),
            sessions: open.collect(),
        })
    }

    /// Ends every other session of the account; how many there were.
    ///
    /// # Errors
    /// [`super::Reason::SessionOver`]; otherwise the service is down.
    pub async fn end_others(&self, session: &Session) -> Result<u32, Fault> {
        let question = proto::EndOthersRequest {
            token: session.token.expose().to_vec(),
        };
        let mut sessions = self.sessions.clone();
        let answer = read("EndOthers", sessions.end_others(within(DEADLINE, question)).await)?;
        Ok(answer.ended)
    }

    /// The hosts of the portal that are closed for people.
    ///
    /// # Errors
    /// The service is down.
    pub async fn closed_hosts(&self) -> Result<BTreeSet<String>, Fault> {
        let mut sessions = self.sessions.clone();
        let question = within(DEADLINE, proto::GetMaintenanceRequest {});
        let answer = read("GetMaintenance", sessions.get_maintenance(question).await)?;
        Ok(answer.closed_hosts.into_iter().collect())
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
