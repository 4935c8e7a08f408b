//! One random key per account. Who destroys it erases what it sealed.

use sekisho_eventlog::{EventId, StreamId};
use sekisho_service::aead::{self, SealError};
use sekisho_service::entropy;
use sekisho_service::settings::{KeyRing, Secret};

use super::client::Seen;

/// The key that seals what the log keeps of one person.
#[derive(Debug, Clone)]
pub struct PersonalKey(Secret<[u8; 32]>);

/// A personal key as it is stored: only the master key of that id opens it, and only for its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// The line of the master key file.
    pub master_id: String,
    /// The sealed key.
    pub bytes: Vec<u8>,
}

impl PersonalKey {
    /// A new key.
    pub fn random() -> Self {
        Self(Secret::new(entropy::bytes()))
    }

    pub(super) fn derived(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Wraps the key for its account, under the current master key.
    ///
    /// # Errors
    /// [`SealError`], which no input of this size meets.
    pub fn wrap(&self, masters: &KeyRing, account: StreamId) -> Result<Wrapped, SealError> {
        let (id, master) = masters.current();
        Ok(Wrapped {
            master_id: id.to_owned(),
            bytes: aead::seal(master, account.0.as_bytes(), self.0.expose())?,
        })
    }

    /// Unwraps the key of an account.
    ///
    /// # Errors
    /// [`SealError`] when the master key is gone, or the key belongs to another account.
    pub fn unwrap(masters: &KeyRing, account: StreamId, wrapped: &Wrapped) -> Result<Self, SealError> {
        let master = masters.get(&wrapped.master_id).ok_or(SealError)?;
        let plain = Secret::new(aead::open(master, account.0.as_bytes(), &wrapped.bytes)?);
        let bytes: [u8; 32] = plain.expose().as_slice().try_into().map_err(|_| SealError)?;
        Ok(Self(Secret::new(bytes)))
    }

    /// Seals a browser to one event of one account.
    ///
    /// # Errors
    /// [`SealError`], which no input of this size meets.
    pub fn seal(&self, account: StreamId, event: EventId, seen: &Seen) -> Result<Vec<u8>, SealError> {
        aead::seal(self.0.expose(), &place(account, event), &seen.encode())
    }

    /// Opens what was sealed to the same event of the same account.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, account: StreamId, event: EventId, sealed: &[u8]) -> Result<Seen, SealError> {
        let plain = aead::open(self.0.expose(), &place(account, event), sealed)?;
        Seen::decode(&plain).ok_or(SealError)
    }
}

fn place(account: StreamId, event: EventId) -> Vec<u8> {
    [account.0.as_bytes().as_slice(), event.0.as_bytes()].concat()
}
