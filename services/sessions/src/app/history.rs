//! What happened to an account lately, for its owner.

use std::time::Duration;

use sekisho_eventlog::{Position, StreamId};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};

use super::{Checked, Error, Inner, Sessions};
use crate::domain::{
    ATTEMPTS, AccountSessions, DEEDS, DEEDS_SHOWN, Happening, OpenSession, SessionId, history,
};

/// How far it goes back.
const BACK: time::Duration = time::Duration::days(90);
/// Newest attempts of each kind that are looked at: no more are counted.
const COUNTED: u32 = 300;
/// Readers at once: a history takes ten times the reads of a check, and those must not wait for it.
pub(super) const READERS: usize = 4;
/// How long one more waits for its turn.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the place in the log is remembered at which histories begin.
const REMEMBERED: Duration = Duration::from_mins(1);

/// What its owner sees of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Newest first.
    pub happenings: Vec<Happening>,
    /// Live ones, oldest first.
    pub sessions: Vec<Open>,
}

/// A live session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// Its id.
    pub session: SessionId,
    /// When it started, by the log's clock.
    pub started_at: OffsetDateTime,
    /// The one that asks.
    pub own: bool,
}

/// Where histories begin, and since when that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginning {
    at: Instant,
    after: Position,
}

impl Sessions {
    /// The history of the account of a live session. Counts as activity.
    ///
    /// # Errors
    /// As of [`Sessions::check`]; [`Error::Busy`] while too many are read; [`Error::Log`] while the log cannot be read: what a
    /// replica remembers is no history.
    pub async fn history(&self, token: &[u8]) -> Result<History, Error> {
        let own = self.check(token).await?;
        let turn = timeout(PATIENCE, self.inner.histories.acquire()).await;
        let Ok(Ok(_reading)) = turn else {
            return Err(Error::Busy);
        };
        let after = self.beginning(own.now).await?;
        let Inner { log, .. } = &*self.inner;
        let (account, rows) = (own.account, u32::try_from(DEEDS_SHOWN).unwrap_or(u32::MAX));
        let mut deeds = log
            .newest::<AccountEvent>(DEEDS.account, account, after, rows)
            .await?;
        deeds.extend(log.newest::<CodeEvent>(DEEDS.code, account, after, rows).await?);
        deeds.extend(
            log.newest::<SessionEvent>(DEEDS.session, account, after, rows)
                .await?,
        );
        let mut attempts = log
            .newest::<AccountEvent>(ATTEMPTS.account, account, after, COUNTED)
            .await?;
        attempts.extend(
            log.newest::<CodeEvent>(ATTEMPTS.code, account, after, COUNTED)
                .await?,
        );
        Ok(History {
            happenings: history(deeds, attempts),
            sessions: self.open_now(account, &own).await?,
        })
    }

    /// The place in the log where histories begin. To find it takes many reads, and a minute changes nothing about it.
    async fn beginning(&self, now: OffsetDateTime) -> Result<Position, Error> {
        let mut known = self.inner.beginning.lock().await;
        match *known {
            Some(Beginning { at, after }) if at.elapsed() < REMEMBERED => Ok(after),
            Some(_) | None => {
                let after = self.inner.log.before(now - BACK).await?;
                *known = Some(Beginning {
                    at: Instant::now(),
                    after,
                });
                Ok(after)
            }
        }
    }

    /// The live sessions of an account, by its own stream and by what this replica knows of each.
    async fn open_now(&self, account: StreamId, own: &Checked) -> Result<Vec<Open>, Error> {
        let loaded = self.inner.log.load::<AccountSessions>(account).await?;
        let live = loaded.state.open.iter().filter(|session| self.lives(session));
        let open = live.map(|session| Open {
            session: session.id,
            started_at: session.started_at,
            own: session.id == own.session,
        });
        Ok(open.collect())
    }

    /// One that this replica has not folded yet began just now.
    fn lives(&self, session: &OpenSession) -> bool {
        match self.look_up(session.token) {
            Ok(_) | Err(Error::Unknown) => true,
            Err(_) => false,
        }
    }
}
