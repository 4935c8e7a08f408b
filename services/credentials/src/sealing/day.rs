//! One key a day, for the marks of client addresses in the log. The keys of today and of yesterday exist; older ones are
//! destroyed, and with them whatever leads from a mark to an address.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use sekisho_service::aead::{self, SealError};
use sekisho_service::settings::{KeyRing, Secret};
use sekisho_service::{entropy, mac};
use time::{Date, OffsetDateTime};

use super::{Seen, Wrapped};
use crate::domain::client::ClientTag;
use crate::store::{Store, StoreError};

/// The day keys that are live. Cheap to clone.
#[derive(Clone)]
pub struct DayKeys {
    store: Store,
    masters: KeyRing,
    known: Arc<RwLock<HashMap<Date, Known>>>,
}

/// What is known of a day's key.
#[derive(Clone)]
enum Known {
    Key(DayKey),
    /// The day has none, or it does not open.
    Nothing,
}

type DayKey = Secret<[u8; 32]>;

/// What stands for one address today, and what stood for it yesterday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags {
    /// For what is recorded now.
    pub today: ClientTag,
    /// For what was recorded before midnight; `None` if nothing was.
    pub yesterday: Option<ClientTag>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum DayKeyError {
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key of the day's key is gone.
    #[error("the key of a day does not open")]
    Seal(#[source] SealError),
}

impl DayKeys {
    /// Over the table of keys, wrapped by the master keys of a ring.
    pub fn new(store: Store, masters: KeyRing) -> Self {
        Self {
            store,
            masters,
            known: Arc::default(),
        }
    }

    /// What stands for the address of a browser; `None` without one. The first who asks on a day makes its key.
    ///
    /// # Errors
    /// [`DayKeyError`].
    pub async fn tags(&self, seen: &Seen, now: OffsetDateTime) -> Result<Option<Tags>, DayKeyError> {
        let Some(network) = seen.network() else {
            return Ok(None);
        };
        let today = self.today(now.date()).await?;
        let yesterday = match now.date().previous_day() {
            Some(day) => self.earlier(day).await?,
            None => None,
        };
        Ok(Some(Tags {
            today: tag(&today, &network),
            yesterday: yesterday.map(|key| tag(&key, &network)),
        }))
    }

    /// Destroys what is older than yesterday, here and in the table.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_old(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        let Some(yesterday) = now.date().previous_day() else {
            return Ok(());
        };
        self.write().retain(|day, _| *day >= yesterday);
        self.store.forget_day_keys(yesterday).await
    }

    /// Reads all keys anew when they are next needed: another database has taken the place of the one they came from.
    pub fn forget_all(&self) {
        self.write().clear();
    }

    async fn today(&self, day: Date) -> Result<DayKey, DayKeyError> {
        if let Some(Known::Key(key)) = self.known(day) {
            return Ok(key);
        }
        let fresh = Secret::new(entropy::bytes::<32>());
        let wrapped = self.wrap(day, &fresh).map_err(DayKeyError::Seal)?;
        let made = self.store.make_day_key(day, wrapped).await?;
        let key = self.unwrap(day, &made).map_err(DayKeyError::Seal)?;
        self.write().insert(day, Known::Key(key.clone()));
        Ok(key)
    }

    /// The key of a day that is over; that there is none is remembered as well. Without it only what was counted before
    /// midnight is lost.
    async fn earlier(&self, day: Date) -> Result<Option<DayKey>, DayKeyError> {
        match self.known(day) {
            Some(Known::Key(key)) => return Ok(Some(key)),
            Some(Known::Nothing) => return Ok(None),
            None => {}
        }
        let stored = self.store.day_key(day).await?;
        let key = stored.and_then(|stored| {
            let opened = self.unwrap(day, &stored);
            opened
                .inspect_err(|error| tracing::warn!(%error, %day, "the key of yesterday does not open"))
                .ok()
        });
        let known = key.clone().map_or(Known::Nothing, Known::Key);
        self.write().insert(day, known);
        Ok(key)
    }

    fn known(&self, day: Date) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&day).cloned()
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Date, Known>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrap(&self, day: Date, key: &DayKey) -> Result<Wrapped, SealError> {
        let (id, master) = self.masters.current();
        Ok(Wrapped {
            master_id: id.to_owned(),
            bytes: aead::seal(master, &place(day), key.expose())?,
        })
    }

    fn unwrap(&self, day: Date, stored: &Wrapped) -> Result<DayKey, SealError> {
        let master = self.masters.get(&stored.master_id).ok_or(SealError)?;
        let plain = Secret::new(aead::open(master, &place(day), &stored.bytes)?);
        let bytes: [u8; 32] = plain.expose().as_slice().try_into().map_err(|_| SealError)?;
        Ok(Secret::new(bytes))
    }
}

impl std::fmt::Debug for DayKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

fn place(day: Date) -> Vec<u8> {
    format!("day {day}").into_bytes()
}

fn tag(key: &DayKey, network: &[u8]) -> ClientTag {
    let digest = mac::derive(key.expose(), "sekisho/client/1", &[network]);
    let mut tag = [0; 16];
    tag.copy_from_slice(&digest[..16]);
    ClientTag(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_of_one_key_and_one_network() {
        let (key, other) = (Secret::new([1; 32]), Secret::new([2; 32]));
        assert_eq!(tag(&key, b"a"), tag(&key, b"a"));
        assert_ne!(tag(&key, b"a"), tag(&key, b"b"));
        assert_ne!(tag(&key, b"a"), tag(&other, b"a"));
    }
}
