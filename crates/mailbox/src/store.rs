//! The newest mails, in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use crate::mail::{Envelope, Mail};

/// How many mails are kept; older ones go.
pub const KEPT: usize = 500;

/// The newest mails; clones are the same mailbox.
#[derive(Debug, Clone, Default)]
pub struct Store(Arc<Mutex<Mails>>);

#[derive(Debug, Default)]
struct Mails {
    last_id: u64,
    /// Oldest first.
    mails: VecDeque<Arc<Mail>>,
}

impl Store {
    /// Takes in one mail and answers its id.
    pub(crate) fn take(&self, received: OffsetDateTime, envelope: &Envelope, bytes: &[u8]) -> u64 {
        let mut mails = self.lock();
        mails.last_id += 1;
        let mail = Mail::read(mails.last_id, received, envelope, bytes);
        mails.mails.push_back(Arc::new(mail));
        while mails.mails.len() > KEPT {
            mails.mails.pop_front();
        }
        mails.last_id
    }

    /// All mails, newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Mail>> {
        self.lock().mails.iter().rev().cloned().collect()
    }

    /// One mail by its id, or the newest by the word `latest`.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Mail>> {
        let mails = self.lock();
        if id == "latest" {
            return mails.mails.back().cloned();
        }
        let id: u64 = id.parse().ok()?;
        mails.mails.iter().find(|mail| mail.id == id).cloned()
    }

    /// How many mails have the same Message-ID as this one.
    pub(crate) fn copies(&self, mail: &Mail) -> usize {
        let same = |other: &&Arc<Mail>| !mail.message_id.is_empty() && other.message_id == mail.message_id;
        self.lock().mails.iter().filter(same).count().max(1)
    }

    /// Throws away the mails with these ids, or all if there are none.
    pub(crate) fn delete(&self, ids: &[String]) {
        self.lock()
            .mails
            .retain(|mail| !ids.is_empty() && !ids.contains(&mail.id.to_string()));
    }

    fn lock(&self) -> MutexGuard<'_, Mails> {
        // Nothing that holds the lock leaves the list half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_mails_are_kept() {
        let store = Store::default();
        for _ in 0..=KEPT {
            store.take(
                OffsetDateTime::UNIX_EPOCH,
                &Envelope::default(),
                b"Message-ID: <1@host>\r\n\r\n",
            );
        }
        assert_eq!(store.all().len(), KEPT);
        assert!(store.find("1").is_none());
        let newest = store.find("latest").unwrap();
        assert_eq!(newest.id, KEPT as u64 + 1);
        assert_eq!(store.copies(&newest), KEPT);
    }
}
