//! Ending a session because its holder asks for it.

use sekisho_eventlog::{Context, Decided, Position};

use super::{ACTOR, Failure, Sessions};
use crate::domain::{Command, TokenDigest, Why};

impl Sessions {
    /// Ends the session of a token. `None` if it was over already or never was.
    ///
    /// A session that only this replica takes for idle is ended all the same: another one may have seen activity.
    ///
    /// # Errors
    /// [`Failure::Unconfirmed`], [`Failure::Log`]: then it may live on.
    pub async fn end(&self, token: &[u8]) -> Result<Option<Position>, Failure> {
        let digest = TokenDigest::of(token);
        if self.look_up(digest) == Err(Failure::Unknown) {
            self.newest().await?;
        }
        match self.look_up(digest) {
            Ok(_) | Err(Failure::Over(Why::Idle)) => self.record_end(digest).await,
            Err(Failure::Over(_) | Failure::Unknown) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn record_end(&self, digest: TokenDigest) -> Result<Option<Position>, Failure> {
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
