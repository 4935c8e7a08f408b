//! Ending a session because its holder asks for it.

use sekisho_eventlog::{Context, Decided, Position};

use super::{ACTOR, Error, Sessions};
use crate::domain::{Command, TokenDigest, Why};

impl Sessions {
    /// Ends the session of a token. `None` if it was over already or never was.
    ///
    /// A session that only this replica takes for idle is ended all the same: another one may have seen activity.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`], [`Error::Log`]: then it may live on.
    pub async fn end(&self, token: &[u8]) -> Result<Option<Position>, Error> {
        let digest = TokenDigest::of(token);
        if self.look_up(digest) == Err(Error::Unknown) {
            self.newest().await?;
        }
        match self.look_up(digest) {
            Ok(_) | Err(Error::Over(Why::Idle)) => self.record_end(digest).await,
            Err(Error::Over(_) | Error::Unknown) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn record_end(&self, digest: TokenDigest) -> Result<Option<Position>, Error> {
        let found = self.inner.view.ask(|directory| {
            directory
                .find(digest)
                .map(|session| (session.account, session.flow, session.id))
        });
        let Some((account, flow, session)) = found else {
            return Ok(None);
        };
        let command = Command::End {
            session,
            why: Why::SignedOut,
        };
        match self
            .decide(&Context::new(account, Some(flow), ACTOR), command)
            .await?
        {
            Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. } => {
                Ok(Some(recorded.position))
            }
            Decided::Nothing(_) => Ok(None),
        }
    }
}
