//! Which hosts of the portal are closed for people, as operators have said (`sekisho maintenance`).

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic::Code;

use crate::backends::{Backends, Fault};
use crate::edge::Site;

/// Between two questions.
const EVERY: Duration = Duration::from_secs(2);
/// The services may be away for so long before people are told that the portal is.
const AWAY: Duration = Duration::from_secs(10);

/// The closed hosts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Maintenance(Arc<RwLock<Heard>>);

/// What was heard last.
#[derive(Debug, Default)]
struct Heard {
    /// `None` before the first answer.
    closed: Option<BTreeSet<String>>,
    /// Since when nobody answers.
    away_since: Option<Instant>,
}

impl Maintenance {
    /// As somebody has said.
    pub fn of(closed: BTreeSet<String>) -> Self {
        Self(Arc::new(RwLock::new(Heard {
            closed: Some(closed),
            away_since: None,
        })))
    }

    /// Whether nobody is let in at a host: operators have closed it, the services behind it are away, or nothing was heard yet. A gateway
    /// that starts while the services are away cannot know, and could do nothing for anybody.
    pub fn closes(&self, site: &Site) -> bool {
        let heard = self.0.read().unwrap_or_else(PoisonError::into_inner);
        heard.is_away()
            || heard
                .closed
                .as_ref()
                .is_none_or(|closed| closed.contains(&site.host))
    }

    /// Whether people may be sent on to the second host: operators have not closed that one as well.
    pub fn leaves_standby_open(&self) -> bool {
        let heard = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut closed = heard.closed.iter().flatten();
        !closed.any(|host| Site::is_standby(host))
    }

    /// Asks sessions again and again, for ever. While it is away, what it said last counts for a while.
    pub async fn follow(&self, backends: &Backends) -> Infallible {
        let mut questions = interval(EVERY);
        questions.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            questions.tick().await;
            self.ask(backends).await;
        }
    }

    /// Asks once.
    pub async fn ask(&self, backends: &Backends) {
        let answer = backends.closed_hosts().await;
        let mut heard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(now) => heard.hear(now),
            Err(fault) if is_away(&fault) => {
                heard.away_since.get_or_insert_with(Instant::now);
            }
            Err(fault) => {
                heard.away_since = None;
                // A version that closes nothing does not contradict one that has said what is closed.
                if is_of_an_older_version(&fault) && heard.closed.is_none() {
                    heard.hear(BTreeSet::new());
                }
            }
        }
    }
}

impl Heard {
    fn hear(&mut self, now: BTreeSet<String>) {
        self.away_since = None;
        if self.closed.as_ref() != Some(&now) {
            tracing::info!(closed = ?now, "other hosts are closed for people");
            self.closed = Some(now);
        }
    }

    fn is_away(&self) -> bool {
        self.away_since.is_some_and(|since| since.elapsed() >= AWAY)
    }
}

/// No replica has answered.
fn is_away(fault: &Fault) -> bool {
    let Fault::Down { code, reason, .. } = fault else {
        return false;
    };
    reason.is_none() && matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled)
}

/// The method is unknown: to the router, or to the table of callers, which is asked before it.
fn is_of_an_older_version(fault: &Fault) -> bool {
    let Fault::Down { code, reason, .. } = fault else {
        return false;
    };
    let is_refused = *code == Code::PermissionDenied && reason.as_deref() == Some("CALLER_NOT_ALLOWED");
    *code == Code::Unimplemented || is_refused
}
