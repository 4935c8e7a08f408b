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
    pub key: PersonalKey,
}

impl Known {
    /// The password stands with the former system: there is no hash of it here.
    pub fn is_with_former(&self) -> bool {
        self.password.hash.is_with_former()
    }
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
        Ok(Subject::Known(Box::new(Known {
            account: found.account,
            has_address: found.has_address,
            password: found.password,
            key,
        })))
    }

    /// What a typed password is compared with: the decoy for whom there is no hash here. A reset needs none, so that it works also
    /// without the pepper.
    pub(super) fn phc(&self, subject: &Subject) -> Result<Phc, Error> {
        match subject {
            Subject::Known(known) if !known.is_with_former() => {
                Ok(self.keys.pepper.open(known.account, &known.password.hash)?)
            }
            Subject::Known(_) | Subject::Phantom(_) => {
                Phc::decoy().ok_or(Error::Broken("the decoy is no hash"))
            }
        }
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
