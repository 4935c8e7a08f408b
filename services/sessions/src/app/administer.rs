//! What an administrator does to the sessions of an account.

use sekisho_eventlog::{Context, Decided, Position, StreamId, Version};
use sekisho_evidence::AccountCuts;

use super::{Error, Sessions};
use crate::domain::Command;

impl Sessions {
    /// Ends every session and every unfinished flow of an account. `actor` is who asks for it.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`]; after [`Error::Log`] the cut may or may not stand in the log.
    pub async fn cut(&self, account: StreamId, actor: &str) -> Result<Position, Error> {
        if self.inner.log.load::<AccountCuts>(account).await?.version == Version(0) {
            return Err(Error::AccountUnknown);
        }
        match self
            .decide(&Context::new(account, None, actor), Command::Cut)
            .await?
        {
            Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. } => Ok(recorded.position),
            Decided::Nothing(_) => Err(Error::Internal),
        }
    }
}
