//! Whom a typed login id means.

use sekisho_eventlog::{EventId, Facts, StreamId};
use sekisho_proto::credentials::v1::SealedClient;

use super::{App, Error};
use crate::domain::{Account, Device, TypedLogin};
use crate::hashing::Phc;
use crate::sealing::{PersonalKey, SealError, Seen, Tags};
use crate::store::{Found, StoredPassword};

/// An account, or the phantom of a login id that nobody has.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Known(Box<Known>),
    Phantom(StreamId),
}

/// An account that can be compared with and sealed for.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub account: StreamId,
    pub has_address: bool,
    pub password: StoredPassword,
    pub phc: Phc,
    /// The password stands with the former system; `phc` is the decoy.
    pub is_with_former: bool,
    pub key: PersonalKey,
}

impl Subject {
    /// The stream that decides.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Known(known) => known.account,
            Self::Phantom(stream) => *stream,
        }
    }
}

impl App {
    /// Looks a login id up.
    pub(super) async fn subject(&self, login: &TypedLogin) -> Result<Subject, Error> {
        let found = match login {
            TypedLogin::Possible(login) => self.store.find(login).await?,
            TypedLogin::Impossible(_) => None,
        };
        match found {
            Some(found) => self.known(found),
            None => Ok(Subject::Phantom(self.keys.phantoms.stream(login.as_str()))),
        }
    }

    fn known(&self, found: Found) -> Result<Subject, Error> {
        let key = PersonalKey::unwrap(&self.keys.masters, found.account, &found.key)?;
        let is_with_former = found.password.hash.is_with_former();
        let phc = if is_with_former {
            Phc::decoy().ok_or(Error::Broken("the decoy is no hash"))?
        } else {
            self.keys.pepper.open(found.account, &found.password.hash)?
        };
        Ok(Subject::Known(Box::new(Known {
            account: found.account,
            has_address: found.has_address,
            phc,
            is_with_former,
            password: found.password,
            key,
        })))
    }

    /// The browser's side, sealed to the event that is being decided, and what stands for its address today.
    pub(super) fn sealed(
        &self,
        subject: &Subject,
        facts: &Facts<Account>,
        seen: &Seen,
        tags: Option<Tags>,
    ) -> Result<SealedClient, SealError> {
        let key = self.key(subject, facts.event_id);
        Ok(SealedClient {
            sealed: key.seal(subject.stream(), facts.event_id, seen)?,
            address_tag: tags.map(|tags| tags.today.0.to_vec()).unwrap_or_default(),
        })
    }

    /// What the log keeps of a device cookie.
    pub(super) fn device(&self, stream: StreamId, cookie: Option<[u8; 32]>) -> Option<Device> {
        cookie.map(|cookie| self.keys.phantoms.device(stream, &cookie))
    }

    fn key(&self, subject: &Subject, event: EventId) -> PersonalKey {
        match subject {
            Subject::Known(known) => known.key.clone(),
            Subject::Phantom(_) => self.keys.phantoms.key(event),
        }
    }
}
