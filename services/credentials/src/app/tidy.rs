//! What has had its time: it is forgotten, or sealed anew under the key of today.

use std::convert::Infallible;
use std::time::Duration;

use sekisho_eventlog::StreamId;
use sekisho_evidence::NOTICE_LIFE;
use sekisho_service::chain;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::{App, Error};
use crate::hashing::SealedHash;
use crate::sealing::{PersonalKey, Wrapped};

/// Between two rounds.
const ROUND: Duration = Duration::from_mins(1);
/// Hashes, and keys, that are sealed anew in a round, at most, but for a page: a key of the files is out of use within the hour.
const SEALED_ANEW: usize = 1_000;
/// Of a page of rows.
const PAGE: u32 = 500;

/// What one round has done about what hangs on an older line of a key file.
#[derive(Debug, Default)]
struct Round {
    sealed: usize,
    /// Their line is not in the file, or they are damaged.
    unreadable: usize,
    /// No more of them are there.
    is_last: bool,
}

impl Round {
    fn is_over(&self) -> bool {
        self.is_last && self.unreadable == 0
    }
}

impl App {
    /// Tidies once a minute, for ever.
    pub async fn tidy(&self) -> Infallible {
        let mut rounds = interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_told = false;
        loop {
            rounds.tick().await;
            let is_over = self.tidy_once().await;
            if is_over && !is_told {
                tracing::info!("nothing hangs on an older line of the key files");
            }
            is_told = is_over;
        }
    }

    /// Forgets attempts that no longer count, former addresses and the keys of days that are over, and seals anew what hangs on an
    /// old line of a key file. What cannot be done now is done in a later round. Answers whether no password and no personal key
    /// hangs on such a line any more.
    pub async fn tidy_once(&self) -> bool {
        let now = self.log.now();
        self.clients.forget_old(now);
        if let Err(error) = self.day_keys.forget_old(now).await {
            tracing::warn!(error = chain(&error), "old day keys are still there");
        }
        if let Err(error) = self.store.forget_former_addresses(now - NOTICE_LIFE).await {
            tracing::warn!(error = chain(&error), "old addresses are still there");
        }
        match tokio::try_join!(self.seal_hashes_anew(), self.seal_keys_anew()) {
            Ok((hashes, keys)) => {
                if hashes.sealed + keys.sealed > 0 {
                    tracing::info!(
                        hashes = hashes.sealed,
                        keys = keys.sealed,
                        "sealed anew under the first lines of the key files"
                    );
                }
                if hashes.unreadable + keys.unreadable > 0 {
                    tracing::error!(
                        hashes = hashes.unreadable,
                        keys = keys.unreadable,
                        "sealed under lines that are not in the key files, or damaged: put the lines back"
                    );
                }
                hashes.is_over() && keys.is_over()
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "not all is sealed anew");
                false
            }
        }
    }

    /// Needs no password: a hash is sealed by its pepper and not made with it. One that does not open keeps no other.
    async fn seal_hashes_anew(&self) -> Result<Round, Error> {
        let (mut round, mut after) = (Round::default(), StreamId(Uuid::nil()));
        while round.sealed < SEALED_ANEW {
            let current = self.keys.pepper.current_id();
            let page = self.store.under_other_peppers(current, after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                round.is_last = true;
                break;
            };
            after = *last;
            for (account, old) in page {
                match self.hash_anew(account, &old.hash) {
                    Some(new) => round.sealed += usize::from(self.store.rehash(account, &old, new).await?),
                    None => round.unreadable += 1,
                }
            }
        }
        Ok(round)
    }

    async fn seal_keys_anew(&self) -> Result<Round, Error> {
        let (mut round, mut after) = (Round::default(), StreamId(Uuid::nil()));
        while round.sealed < SEALED_ANEW {
            let current = self.keys.masters.current().0;
            let page = self.store.under_other_masters(current, after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                round.is_last = true;
                break;
            };
            after = *last;
            for (account, old) in page {
                match self.key_anew(account, &old) {
                    Some(new) => round.sealed += usize::from(self.store.rewrap(account, &old, new).await?),
                    None => round.unreadable += 1,
                }
            }
        }
        Ok(round)
    }

    fn hash_anew(&self, account: StreamId, old: &SealedHash) -> Option<SealedHash> {
        let phc = self.keys.pepper.open(account, old).ok()?;
        self.keys.pepper.seal(account, &phc).ok()
    }

    fn key_anew(&self, account: StreamId, old: &Wrapped) -> Option<Wrapped> {
        let key = PersonalKey::unwrap(&self.keys.masters, account, old).ok()?;
        key.wrap(&self.keys.masters, account).ok()
    }
}
