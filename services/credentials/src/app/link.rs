//! Who signs in with an account at the provider: administrators say so, and nobody is found by an address.

use sekisho_eventlog::{LogFault, Position, StreamId};

use super::{App, Error};
use crate::domain::{Command, SubjectIdentifier};
use crate::store;

impl App {
    /// Links the account of a login id with a person at the provider, or with nobody. Answers where FederatedIdentityLinked stands; 0 if
    /// it was so already.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`], [`Error::IdentityTaken`], [`Error::ProviderMissing`].
    pub async fn link_ncr(
        &self,
        login_id: &str,
        subject: Option<SubjectIdentifier>,
        actor: &str,
    ) -> Result<Position, Error> {
        let account = self.resolve_login(login_id).await?;
        let row = self.store.row_of(account).await?.ok_or(Error::AccountUnknown)?;
        // Whoever opened it at a former provider opens it no more, and may have to be removed all the same.
        let issuer = subject.as_ref().and(self.issuer());
        if row.linked_with(issuer)? == subject {
            return Ok(Position(0));
        }
        self.link_identity(account, subject.as_ref(), actor).await
    }

    /// Whether a person at the provider opens another account than this one.
    pub(super) async fn refuse_taken(
        &self,
        account: Option<StreamId>,
        subject: &SubjectIdentifier,
    ) -> Result<(), Error> {
        let issuer = self.provider()?.issuer();
        match self.store.linked(issuer, subject).await? {
            Some(linked) if Some(linked.account) != account => Err(Error::IdentityTaken),
            Some(_) | None => Ok(()),
        }
    }

    /// The provider's issuer, if there is one.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.provider.as_ref().map(|provider| provider.issuer())
    }

    pub(super) async fn link_identity(
        &self,
        account: StreamId,
        subject: Option<&SubjectIdentifier>,
        actor: &str,
    ) -> Result<Position, Error> {
        // Without a provider a link can be ended and not made.
        let issuer = match subject {
            Some(_) => self.provider()?.issuer(),
            None => "",
        };
        let via = store::new_identity(issuer, subject);
        let identity = subject.map(|subject| self.keys.phantoms.identity(issuer, subject));
        let command = Command::LinkIdentity(identity);
        match (self.administer(account, actor, via, command).await, subject) {
            // The function refuses a person whom somebody else was linked with since it was looked up.
            (Err(Error::Log(LogFault::Refused)), Some(subject)) => {
                self.refuse_taken(Some(account), subject).await?;
                Err(Error::Log(LogFault::Refused))
            }
            (linked, _) => linked,
        }
    }
}
