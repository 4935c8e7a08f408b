//! Ending a session because its holder asks for it.

use sekisho_eventlog::{Context, Decided, Position};

use super::{ACTOR, Error, Sessions};
use crate::domain::{Command, SessionId, TokenDigest, Why};

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
        match found {
            Some((account, flow, session)) => {
                let context = Context::new(account, Some(flow), ACTOR);
                self.end_one(&context, session, Why::SignedOut).await
            }
            None => Ok(None),
        }
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
