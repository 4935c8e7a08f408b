//! Ending a session because its holder asks for it.

use std::time::Duration;

use sekisho_eventlog::{Context, Decided, LogFault, Position};

use tokio::time::timeout;

use super::{ACTOR, Error, Sessions};
use crate::domain::{Command, SessionId, TokenDigest, Told, Tombstone, Why};

/// How long the log may take: the caller gives up after 2 s, and the others are to be told by then.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// What became of a session that its holder ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Here the log says so.
    Recorded(Position),
    /// Every replica has been told and refuses it; the log will say so when it can be reached.
    Unrecorded,
    /// It was over already or never was.
    Nothing,
}

impl Sessions {
    /// Ends the session of a token.
    ///
    /// A session that only this replica takes for idle is ended all the same: another one may have seen activity.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`], [`Error::Log`]: then it may live on.
    pub async fn end(&self, token: &[u8]) -> Result<Ended, Error> {
        let digest = TokenDigest::of(token);
        if self.look_up(digest) == Err(Error::Unknown) {
            self.newest().await?;
        }
        match self.look_up(digest) {
            Ok(_) | Err(Error::Over(Why::Idle)) => self.record_end(digest).await,
            Err(Error::Over(_) | Error::Unknown) => Ok(Ended::Nothing),
            Err(error) => Err(error),
        }
    }

    async fn record_end(&self, digest: TokenDigest) -> Result<Ended, Error> {
        let found = self.inner.view.ask(|directory| {
            directory.find(digest).map(|session| Told {
                account: session.account,
                session: session.id,
                flow: session.flow,
                why: Why::SignedOut,
            })
        });
        let Some(told) = found else {
            return Ok(Ended::Nothing);
        };
        let context = Context::new(told.account, Some(told.flow), ACTOR);
        let recorded = timeout(PATIENCE, self.end_one(&context, told.session, told.why)).await;
        // What is on its way may still be recorded; a session ends once.
        match recorded.unwrap_or(Err(Error::Log(LogFault::Unavailable))) {
            Ok(Some(position)) => {
                self.tell(Tombstone::Session(told)).await;
                Ok(Ended::Recorded(position))
            }
            Ok(None) => Ok(Ended::Nothing),
            Err(Error::Log(LogFault::Unavailable)) if self.tell_unrecorded(told).await => {
                Ok(Ended::Unrecorded)
            }
            Err(error) => Err(error),
        }
    }

    /// Ends every session of the account but that of this token, whose owner asks for it; how many there were. Counts as activity.
    ///
    /// # Errors
    /// As of [`Sessions::check`]; after [`Error::Log`] they may live on.
    pub async fn end_others(&self, token: &[u8]) -> Result<usize, Error> {
        let own = self.check(token).await?;
        let command = Command::EndOthers { keep: own.session };
        let decided = self
            .decide(&Context::new(own.account, None, ACTOR), command)
            .await?;
        let Decided::Recorded { before, .. } = decided else {
            return Ok(0);
        };
        let others = before.others(own.session);
        let mut ended = 0;
        for other in others {
            let told = Told {
                account: own.account,
                session: other.id,
                flow: other.flow,
                why: Why::Revoked,
            };
            self.tell(Tombstone::Session(told)).await;
            ended += 1;
        }
        Ok(ended)
    }

    /// Ends one session of the account in whose stream it is decided; `None` if it is not open there.
    pub(super) async fn end_one(
        &self,
        context: &Context,
        session: SessionId,
        why: Why,
    ) -> Result<Option<Position>, Error> {
        match self.decide(context, Command::End { session, why }).await? {
            Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. } => {
                Ok(Some(recorded.position))
            }
            Decided::Nothing(_) => Ok(None),
        }
    }
}
