//! What an administrator does to the sessions of an account.

use sekisho_eventlog::{Context, Decided, Position, StreamId, Version};
use sekisho_evidence::AccountCuts;

use super::{Checked, Error, Inner, Sessions};
use crate::domain::{Command, Directory, SessionId, Told, Tombstone, Why};

impl Sessions {
    /// Ends every session and every unfinished flow of an account. `actor` is who asks for it.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`]; after [`Error::Log`] the cut may or may not stand in the log.
    pub async fn cut(&self, account: StreamId, actor: &str) -> Result<Position, Error> {
        self.must_exist(account).await?;
        match self
            .decide(&Context::new(account, None, actor), Command::Cut)
            .await?
        {
            Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. } => {
                let upto = recorded.position;
                self.tell(Tombstone::Cut { account, upto }).await;
                Ok(upto)
            }
            Decided::Nothing(_) => Err(Error::Internal),
        }
    }

    /// The live sessions of an account, oldest first.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`], [`Error::Unconfirmed`], [`Error::Log`].
    pub async fn list(&self, account: StreamId) -> Result<Vec<Checked>, Error> {
        self.must_exist(account).await?;
        self.newest().await?;
        let Inner {
            log, limits, view, ..
        } = &*self.inner;
        Ok(view.ask(|directory| {
            let now = log.now();
            let live = directory.live_of(account, now, limits);
            live.into_iter()
                .map(|(session, live)| Checked::new(session, live, now))
                .collect()
        }))
    }

    /// Ends one session of an account; `None` if it has no such open one. `actor` is who asks for it.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`]; after [`Error::Log`] the session may live on.
    pub async fn revoke(
        &self,
        account: StreamId,
        session: SessionId,
        actor: &str,
    ) -> Result<Option<Position>, Error> {
        self.newest().await?;
        let found = |directory: &Directory| directory.with_id(session).map(|session| session.flow);
        let flow = self.inner.view.ask(found);
        match flow {
            Some(flow) => {
                let context = Context::new(account, Some(flow), actor);
                let ended = self.end_one(&context, session, Why::Revoked).await?;
                if ended.is_some() {
                    let told = Told {
                        account,
                        session,
                        flow,
                        why: Why::Revoked,
                    };
                    self.tell(Tombstone::Session(told)).await;
                }
                Ok(ended)
            }
            None => Ok(None),
        }
    }

    async fn must_exist(&self, account: StreamId) -> Result<(), Error> {
        match self.inner.log.load::<AccountCuts>(account).await?.version {
            Version(0) => Err(Error::AccountUnknown),
            _ => Ok(()),
        }
    }
}
