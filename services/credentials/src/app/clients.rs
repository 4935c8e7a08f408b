//! Limits per client address: what came from each is folded from the log, what is refused is gathered and recorded.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sekisho_eventlog::{Decided, Entry, Log, Position, ReadError, StreamId};
use sekisho_evidence::session_cuts;
use sekisho_proto::Kind;
use sekisho_proto::events::ClientEvent;
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval, sleep};
use uuid::Builder;

use super::{App, Error, context};
use crate::domain::client::{
    Attempt, Attempts, COUNTED, ClientTag, Excess, Refusals, Refused, Unvouched, Unvoucheds,
};
use crate::domain::{Account, TypedLogin};
use crate::sealing::{Seen, Tags};

/// Between two looks at what is to be recorded.
const LOOK: Duration = Duration::from_secs(1);
/// Between two entries of one address; what comes meanwhile is gathered.
const GATHER: time::Duration = time::Duration::MINUTE;
/// After a read that failed.
const PAUSE: Duration = Duration::from_millis(500);
/// Addresses whose refusals are gathered at a time, at most.
const MOST: usize = 10_000;

/// What this replica knows of addresses. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Clients {
    attempts: Arc<RwLock<Attempts>>,
    gathered: Arc<Mutex<HashMap<ClientTag, Gathered>>>,
    /// Refusals that there was no room for.
    lost: Arc<AtomicU64>,
}

/// Refusals of one address that stand in no entry yet.
#[derive(Debug, Clone, Copy)]
struct Gathered {
    refused: Refused,
    /// Not to be recorded before.
    due: OffsetDateTime,
}

impl Clients {
    fn excess(&self, tags: Tags, attempt: Attempt, now: OffsetDateTime) -> Option<Excess> {
        let attempts = self.attempts.read().unwrap_or_else(PoisonError::into_inner);
        let mut days = std::iter::once(tags.today).chain(tags.yesterday);
        days.find_map(|tag| attempts.excess(tag, attempt, now))
    }

    fn failed_without_event(&self, tag: ClientTag, now: OffsetDateTime) {
        let mut attempts = self.attempts.write().unwrap_or_else(PoisonError::into_inner);
        attempts.failed_without_event(tag, now);
    }

    fn hashed_for(&self, account: StreamId, now: OffsetDateTime) {
        let mut attempts = self.attempts.write().unwrap_or_else(PoisonError::into_inner);
        attempts.hashed_for(account, now);
    }

    fn excess_of(&self, account: StreamId, now: OffsetDateTime) -> Option<Excess> {
        let attempts = self.attempts.read().unwrap_or_else(PoisonError::into_inner);
        attempts.excess_of(account, now)
    }

    fn fold(&self, entries: &[Entry]) {
        let mut attempts = self.attempts.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            match entry.event() {
                Ok(event) => attempts.fold(entry.recorded.stream, &event, entry.recorded.recorded_at),
                Err(error) => {
                    tracing::warn!(%error, position = entry.recorded.position.0, "passed over");
                }
            }
        }
    }

    pub(super) fn forget_old(&self, now: OffsetDateTime) {
        let mut attempts = self.attempts.write().unwrap_or_else(PoisonError::into_inner);
        attempts.forget_old(now);
    }

    fn forget_all(&self) {
        *self.attempts.write().unwrap_or_else(PoisonError::into_inner) = Attempts::default();
    }

    /// Adds to what is gathered of an address.
    fn gather(&self, tag: ClientTag, refused: Refused, now: OffsetDateTime) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.len() >= MOST && !gathered.contains_key(&tag) {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let of_address = gathered.entry(tag).or_insert(Gathered {
            refused: Refused::default(),
            due: now,
        });
        of_address.refused.add(refused);
    }

    fn due(&self, now: OffsetDateTime) -> Vec<(ClientTag, Refused)> {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let due = gathered.iter().filter(|(_, gathered)| gathered.due <= now);
        due.map(|(tag, gathered)| (*tag, gathered.refused)).collect()
    }

    /// What was recorded is no longer gathered; the rest waits.
    fn settle(&self, tag: ClientTag, recorded: Option<Refused>, now: OffsetDateTime) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_address) = gathered.get_mut(&tag) else {
            return;
        };
        of_address.due = now + GATHER;
        if let Some(recorded) = recorded {
            of_address.refused.subtract(recorded);
            if of_address.refused.is_nothing() {
                gathered.remove(&tag);
            }
        }
    }
}

impl App {
    /// Refuses an attempt without a comparison when too many from its address failed, unless the browser is known to the
    /// account. `tags` are those of the address; without an address nothing is limited. A flood makes nobody read anything.
    pub(super) async fn is_throttled(
        &self,
        login: &TypedLogin,
        device: Option<[u8; 32]>,
        tags: Option<Tags>,
    ) -> Result<bool, Error> {
        let now = self.log.now();
        let Some(tags) = tags else { return Ok(false) };
        let Some(excess) = self.clients.excess(tags, Attempt::SignIn, now) else {
            return Ok(false);
        };
        if let Some(device) = device
            && self.knows(login, device).await?
        {
            return Ok(false);
        }
        self.refuse(tags, excess, now);
        Ok(true)
    }

    /// Refuses a reset when too many were asked for from its address. Also in a known browser: each request is written to the log.
    pub(super) fn is_reset_throttled(&self, tags: Option<Tags>) -> bool {
        self.is_address_throttled(tags, Attempt::Reset)
    }

    fn is_address_throttled(&self, tags: Option<Tags>, attempt: Attempt) -> bool {
        let now = self.log.now();
        let excess = tags.and_then(|tags| Some((tags, self.clients.excess(tags, attempt, now)?)));
        let Some((tags, excess)) = excess else {
            return false;
        };
        self.refuse(tags, excess, now);
        true
    }

    /// Refuses a sign-in without a comparison when its account had too many that no address is held up for: each of them is a hash.
    pub(super) fn is_account_throttled(&self, account: StreamId, tags: Option<Tags>) -> bool {
        let now = self.log.now();
        let Some(excess) = self.clients.excess_of(account, now) else {
            return false;
        };
        if let Some(tags) = tags {
            self.refuse(tags, excess, now);
        }
        true
    }

    /// Counts an attempt that was hashed and refused: most of them have no event. In a browser that the account knows it counts for the
    /// account, else like a failure for the address.
    pub(super) fn count_refused(&self, account: StreamId, is_known_browser: bool, tags: Option<Tags>) {
        let now = self.log.now();
        match tags {
            _ if is_known_browser => self.clients.hashed_for(account, now),
            Some(tags) => self.clients.failed_without_event(tags.today, now),
            None => {}
        }
    }

    /// Counts a sign-in with an NCR account that told nothing of a person.
    pub(super) fn note_unvouched(&self, tags: Option<Tags>, why: Unvouched) {
        let Some(tags) = tags else { return };
        let refused = Refused {
            federated: Unvoucheds::one(why),
            ..Refused::default()
        };
        self.clients.gather(tags.today, refused, self.log.now());
    }

    /// Refuses to ask the provider about an answer when too many attempts from its address failed: each is a request there in our name.
    pub(super) fn is_callback_throttled(&self, tags: Option<Tags>) -> bool {
        self.is_address_throttled(tags, Attempt::SignIn)
    }

    /// Counts an answer whose code was none like a failure for the address.
    pub(super) fn count_callback(&self, tags: Option<Tags>) {
        if let Some(tags) = tags {
            self.clients.failed_without_event(tags.today, self.log.now());
        }
    }

    fn refuse(&self, tags: Tags, excess: Excess, now: OffsetDateTime) {
        let refused = Refused {
            excess: Some(excess),
            attempts: 1,
            ..Refused::default()
        };
        self.clients.gather(tags.today, refused, now);
    }

    /// Notes forms that the gateway refused, by where they came from.
    ///
    /// # Errors
    /// When the key of the day cannot be read.
    pub async fn note_refused_forms(&self, seen: &Seen, forms: u64) -> Result<(), Error> {
        let now = self.log.now();
        let Some(tags) = self.day_keys.tags(seen, now).await? else {
            return Ok(());
        };
        let refused = Refused {
            forms,
            ..Refused::default()
        };
        self.clients.gather(tags.today, refused, now);
        Ok(())
    }

    async fn knows(&self, login: &TypedLogin, device: [u8; 32]) -> Result<bool, Error> {
        let stream = self.subject(login).await?.stream();
        let account = self.log.load::<Account>(stream).await?.state;
        let cuts = session_cuts(&self.log, stream).await?;
        let device = self.device(stream, Some(device));
        Ok(account.known_device(device, cuts).is_some())
    }

    /// Folds what came from each address, for ever. Calls `at_head` once, when everything is folded that counts.
    pub async fn follow_attempts(&self, at_head: impl FnOnce()) -> Infallible {
        let mut at_head = Some(at_head);
        loop {
            let start = self.before_everything_that_counts().await;
            let mut follower = self.log.follow(&[Kind::Account], start);
            let mut is_at_head = start >= self.log.head();
            loop {
                if is_at_head && let Some(caught_up) = at_head.take() {
                    caught_up();
                }
                match follower.next().await {
                    Ok(batch) => {
                        self.clients.fold(&batch.entries);
                        is_at_head = batch.at_head;
                    }
                    Err(ReadError::Replaced) => break,
                    Err(error) => pause_after(&error).await,
                }
            }
            self.clients.forget_all();
            self.day_keys.forget_all();
        }
    }

    async fn before_everything_that_counts(&self) -> Position {
        loop {
            match self.log.before(self.log.now() - COUNTED).await {
                Ok(position) => return position,
                Err(error) => pause_after(&error).await,
            }
        }
    }

    /// Records what was refused, once a minute for each address, for ever.
    pub async fn record_refusals(&self) -> Infallible {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let lost = self.clients.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(lost, "refusals of too many addresses at once are not recorded");
            }
            for (tag, refused) in self.clients.due(self.log.now()) {
                let recorded = record(&self.log, tag, refused).await;
                self.clients.settle(tag, recorded, self.log.now());
            }
        }
    }
}

/// What of it stands in the log now.
async fn record(log: &Log, tag: ClientTag, refused: Refused) -> Option<Refused> {
    let stream = StreamId(Builder::from_custom_bytes(tag.0).into_uuid());
    let decided = log
        .decide::<Refusals, Infallible>(&context(stream, None), |facts| {
            Ok(facts.state.decide(facts.now, refused))
        })
        .await;
    match decided {
        Ok(Decided::Recorded { event, .. }) => {
            let told = refused.told_by(&event);
            match event {
                // Who is on call looks at this line.
                ClientEvent::ClientThrottled(event) => {
                    tracing::error!(%stream, ?event, "attempts from one address are refused");
                }
                ClientEvent::AttemptsRefused(event) => tracing::warn!(%stream, ?event, "refused"),
            }
            Some(told)
        }
        Ok(Decided::Repeated { .. } | Decided::Nothing(_)) => None,
        Err(error) => {
            tracing::warn!(
                error = sekisho_service::chain(&error),
                "refusals are not recorded yet"
            );
            None
        }
    }
}

async fn pause_after(error: &ReadError) {
    tracing::warn!(error = sekisho_service::chain(error), "the log was not read");
    sleep(PAUSE).await;
}
