//! What has had its time: it is forgotten, or sealed anew under the key of today.

use std::convert::Infallible;
use std::time::Duration;

use sekisho_evidence::NOTICE_LIFE;
use sekisho_service::chain;
use tokio::time::{MissedTickBehavior, interval};

use super::{App, Error};
use crate::sealing::PersonalKey;

/// Between two rounds.
const ROUND: Duration = Duration::from_mins(1);
/// Hashes, and keys, that are sealed anew in a round, at most: a key of the files is out of use within the hour.
const SEALED_ANEW: u32 = 1_000;

impl App {
    /// Tidies once a minute, for ever.
    pub async fn tidy(&self) -> Infallible {
        let mut rounds = interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.tidy_once().await;
        }
    }

    /// Forgets attempts that no longer count, former addresses and the keys of days that are over, and seals anew what hangs on an
    /// old line of a key file. What cannot be done now is done in a later round.
    pub async fn tidy_once(&self) {
        let now = self.log.now();
        self.clients.forget_old(now);
        if let Err(error) = self.day_keys.forget_old(now).await {
            tracing::warn!(error = chain(&error), "old day keys are still there");
        }
        if let Err(error) = self.store.forget_former_addresses(now - NOTICE_LIFE).await {
            tracing::warn!(error = chain(&error), "old addresses are still there");
        }
        match self.seal_anew().await {
            Ok((0, 0)) => {}
            Ok((hashes, keys)) => tracing::info!(hashes, keys, "sealed anew under the keys of today"),
            Err(error) => tracing::warn!(error = chain(&error), "not all is sealed anew"),
        }
    }

    /// How many hashes and personal keys were sealed anew. Needs no password: a hash is sealed by its pepper and not made with it.
    async fn seal_anew(&self) -> Result<(usize, usize), Error> {
        let mut hashes = 0;
        for (account, old) in self
            .store
            .under_other_peppers(self.keys.pepper.current_id(), SEALED_ANEW)
            .await?
        {
            let phc = self.keys.pepper.open(account, &old.hash)?;
            let new = self.keys.pepper.seal(account, &phc)?;
            hashes += usize::from(self.store.rehash(account, &old, new).await?);
        }
        let mut keys = 0;
        for (account, old) in self
            .store
            .under_other_masters(self.keys.masters.current().0, SEALED_ANEW)
            .await?
        {
            let key = PersonalKey::unwrap(&self.keys.masters, account, &old)?;
            let new = key.wrap(&self.keys.masters, account)?;
            keys += usize::from(self.store.rewrap(account, &old, new).await?);
        }
        Ok((hashes, keys))
    }
}
