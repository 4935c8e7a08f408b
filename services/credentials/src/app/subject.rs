//! Whom a typed login id means.

use sekisho_eventlog::{Facts, StreamId};
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

/// Whose stream an event is sealed in.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub stream: StreamId,
    /// The account's key; a phantom has none of its own.
    pub key: Option<&'a PersonalKey>,
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

    /// Whose stream that is.
    pub fn owner(&self) -> Owner<'_> {
        Owner {
            stream: self.stream(),
            key: match self {
                Self::Known(known) => Some(&known.key),
                Self::Phantom(_) => None,
            },
        }
    }
}

impl App {
    /// Looks a login id up. To whoever types a password, an account that a provider opens is one that nobody has.
    pub(super) async fn subject(&self, login: &TypedLogin) -> Result<Subject, Error> {
        let found = match login {
            TypedLogin::Possible(login) => self.store.find(login).await?,
            TypedLogin::Impossible(_) => None,
        };
        match found {
            Some(found) if !found.is_linked => self.known(found),
            Some(_) | None => Ok(Subject::Phantom(self.keys.phantoms.stream(login.as_str()))),
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
        owner: Owner<'_>,
        facts: &Facts<Account>,
        seen: &Seen,
        tags: Option<Tags>,
    ) -> Result<SealedClient, SealError> {
        let derived;
        let key = if let Some(key) = owner.key {
            key
        } else {
            derived = self.keys.phantoms.key(facts.event_id);
            &derived
        };
        Ok(SealedClient {
            sealed: key.seal(owner.stream, facts.event_id, seen)?,
            address_tag: tags.map(|tags| tags.today.0.to_vec()).unwrap_or_default(),
        })
    }

    /// What the log keeps of a device cookie.
    pub(super) fn device(&self, stream: StreamId, cookie: Option<[u8; 32]>) -> Option<Device> {
        cookie.map(|cookie| self.keys.phantoms.device(stream, &cookie))
    }
}
