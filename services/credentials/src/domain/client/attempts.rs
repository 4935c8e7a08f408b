//! What came from each address in the last minutes, folded from the account streams.

use std::collections::{HashMap, VecDeque};

use sekisho_eventlog::StreamId;
use sekisho_proto::credentials::v1::SealedClient;
use sekisho_proto::events::AccountEvent;
use time::{Duration, OffsetDateTime};

use super::ClientTag;

/// How long a failed sign-in counts.
const FAILURES_COUNT: Duration = Duration::minutes(5);
/// Failed sign-ins in that time that any address may have.
const FAILURES: usize = 60;
/// How long everything else counts.
pub const COUNTED: Duration = Duration::minutes(10);
/// Login ids that nobody has in that time that any address may try.
const LOGIN_IDS: usize = 20;
/// Requests for a reset in that time that any address may make, of however many login ids: each may come to twenty entries.
const RESETS: usize = 20;
/// Beyond that, a quarter of the accounts that signed in.
const SHARE: usize = 4;
/// Further requests for each account whose reset led to a new password: the one that is done, and another one. So a hospital whose
/// people all need new passwords is let through, and more of them at a time as it goes on.
const RESETS_FOR_EACH_DONE: usize = 2;

/// Sign-ins of one account in the time in which failures count, accepted or refused in a browser that it knows: no address is held up
/// for them, and each is a hash. One a second.
const OF_ONE_ACCOUNT: usize = 300;

/// Addresses that are remembered at a time, and what is remembered of each, at most. Who has so many addresses is not held
/// up by limits per address.
const MOST_ADDRESSES: usize = 20_000;
const MOST: usize = 20_000;

/// What came from each address in the last minutes.
#[derive(Debug, Clone, Default)]
pub struct Attempts {
    addresses: HashMap<ClientTag, Address>,
    /// Where a reset of a stream was asked for last, and when.
    asked: HashMap<StreamId, (ClientTag, OffsetDateTime)>,
    /// What no address is held up for.
    of_accounts: HashMap<StreamId, Times>,
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Too many failures, in proportion to the accounts that signed in.
    Failures,
    /// Too many login ids that nobody has, in proportion to the accounts that signed in.
    LoginIds,
    /// Too many requests for a reset, in proportion to the accounts that signed in.
    Resets,
    /// Too many sign-ins of one account, by whoever knows its password or has a browser that it knows.
    OneAccount,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// To sign in. No number of resets keeps anybody from it.
    SignIn,
    /// To set a new password. No number of failed sign-ins keeps anybody from it: it is the way out for whoever forgot the password.
    Reset,
}

/// What came from one address, oldest first.
#[derive(Debug, Clone, Default)]
struct Address {
    failures: Times,
    resets: Times,
    /// Of resets that were asked for here.
    new_passwords: Streams,
    phantoms: Streams,
    accepted: Streams,
}

/// Moments, oldest first.
#[derive(Debug, Clone, Default)]
struct Times(VecDeque<OffsetDateTime>);

/// Streams, each with its newest event.
#[derive(Debug, Clone, Default)]
struct Streams(HashMap<StreamId, OffsetDateTime>);

/// What an event says of the address that it came from.
enum Mark {
    /// A password was right.
    Accepted,
    /// A password was wrong, on a login id that somebody has.
    Failed,
    /// On one that nobody has.
    Phantom,
    /// Somebody forgot a password, or says so.
    Reset,
}

impl Attempts {
    /// After one more event of an account or a phantom.
    pub fn fold(&mut self, stream: StreamId, event: &AccountEvent, at: OffsetDateTime) {
        if matches!(event, AccountEvent::PasswordChanged(_)) {
            if let Some((tag, _)) = self.asked.remove(&stream) {
                self.address(tag).new_passwords.add(stream, at);
            }
            return;
        }
        let Some((tag, mark)) = read(event) else { return };
        let address = self.address(tag);
        match mark {
            Mark::Accepted => {
                address.accepted.add(stream, at);
                self.hashed_for(stream, at);
            }
            Mark::Failed => address.failures.add(at),
            Mark::Phantom => {
                address.phantoms.add(stream, at);
                address.failures.add(at);
            }
            Mark::Reset => {
                address.resets.add(at);
                if self.asked.len() < MOST || self.asked.contains_key(&stream) {
                    self.asked.insert(stream, (tag, at));
                }
            }
        }
    }

    /// After an attempt that costs as much as a failure and has no event: refused by a lock, say.
    pub fn failed_without_event(&mut self, tag: ClientTag, at: OffsetDateTime) {
        self.address(tag).failures.add(at);
    }

    /// After a sign-in of an account that no address is held up for.
    pub fn hashed_for(&mut self, account: StreamId, at: OffsetDateTime) {
        if self.of_accounts.len() < MOST || self.of_accounts.contains_key(&account) {
            let times = self.of_accounts.entry(account).or_default();
            times.add(at);
            times.keep_newest(OF_ONE_ACCOUNT);
        }
    }

    /// Whether a sign-in of an account is refused at a moment, wherever it comes from.
    pub fn excess_of(&self, account: StreamId, now: OffsetDateTime) -> Option<Excess> {
        let times = self.of_accounts.get(&account)?;
        (times.since(now - FAILURES_COUNT) >= OF_ONE_ACCOUNT).then_some(Excess::OneAccount)
    }

    /// Why an attempt from an address is refused at a moment; `None` while it may go on.
    pub fn excess(&self, tag: ClientTag, attempt: Attempt, now: OffsetDateTime) -> Option<Excess> {
        self.addresses.get(&tag)?.excess(attempt, now)
    }

    /// What is known of an address. If too many are remembered, one of them makes room, whichever.
    fn address(&mut self, tag: ClientTag) -> &mut Address {
        if self.addresses.len() >= MOST_ADDRESSES && !self.addresses.contains_key(&tag) {
            let any = self.addresses.keys().next().copied();
            any.map(|any| self.addresses.remove(&any));
        }
        self.addresses.entry(tag).or_default()
    }

    /// Drops what no longer counts.
    pub fn forget_old(&mut self, now: OffsetDateTime) {
        self.addresses.retain(|_, address| {
            address.forget_old(now);
            !address.is_empty()
        });
        self.asked.retain(|_, (_, at)| *at > now - COUNTED);
        self.of_accounts.retain(|_, times| {
            times.forget_until(now - FAILURES_COUNT);
            !times.0.is_empty()
        });
    }

    /// Addresses that are remembered.
    pub fn addresses(&self) -> usize {
        self.addresses.len()
    }
}

impl Address {
    fn excess(&self, attempt: Attempt, now: OffsetDateTime) -> Option<Excess> {
        let share = self.accepted.since(now - COUNTED) / SHARE;
        let done = self.new_passwords.since(now - COUNTED);
        let resets = RESETS.max(share) + RESETS_FOR_EACH_DONE * done;
        match attempt {
            Attempt::SignIn if self.failures.since(now - FAILURES_COUNT) >= FAILURES.max(share) => {
                Some(Excess::Failures)
            }
            Attempt::SignIn if self.phantoms.since(now - COUNTED) >= LOGIN_IDS.max(share) => {
                Some(Excess::LoginIds)
            }
            Attempt::Reset if self.resets.since(now - COUNTED) >= resets => Some(Excess::Resets),
            Attempt::SignIn | Attempt::Reset => None,
        }
    }

    fn forget_old(&mut self, now: OffsetDateTime) {
        self.failures.forget_until(now - FAILURES_COUNT);
        self.resets.forget_until(now - COUNTED);
        self.new_passwords.forget_until(now - COUNTED);
        self.phantoms.forget_until(now - COUNTED);
        self.accepted.forget_until(now - COUNTED);
    }

    fn is_empty(&self) -> bool {
        let times = [&self.failures, &self.resets];
        let streams = [&self.new_passwords, &self.phantoms, &self.accepted];
        times.iter().all(|times| times.0.is_empty()) && streams.iter().all(|streams| streams.0.is_empty())
    }
}

impl Times {
    fn add(&mut self, at: OffsetDateTime) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(at);
    }

    fn keep_newest(&mut self, most: usize) {
        while self.0.len() > most {
            self.0.pop_front();
        }
    }

    fn since(&self, moment: OffsetDateTime) -> usize {
        self.0.iter().rev().take_while(|at| **at > moment).count()
    }

    fn forget_until(&mut self, moment: OffsetDateTime) {
        while self.0.front().is_some_and(|at| *at <= moment) {
            self.0.pop_front();
        }
    }
}

impl Streams {
    fn add(&mut self, stream: StreamId, at: OffsetDateTime) {
        if self.0.len() < MOST || self.0.contains_key(&stream) {
            self.0.insert(stream, at);
        }
    }

    fn since(&self, moment: OffsetDateTime) -> usize {
        self.0.values().filter(|at| **at > moment).count()
    }

    fn forget_until(&mut self, moment: OffsetDateTime) {
        self.0.retain(|_, at| *at > moment);
    }
}

/// What a known browser types is its account's matter, not its address's.
fn read(event: &AccountEvent) -> Option<(ClientTag, Mark)> {
    let of = |client: &Option<SealedClient>| ClientTag::read(&client.as_ref()?.address_tag);
    match event {
        AccountEvent::PasswordAccepted(accepted) => Some((of(&accepted.client)?, Mark::Accepted)),
        AccountEvent::FederatedIdentityAccepted(accepted) => Some((of(&accepted.client)?, Mark::Accepted)),
        AccountEvent::PasswordRejected(rejected) if rejected.device.is_empty() => {
            let mark = match rejected.password_version {
                0 => Mark::Phantom,
                _ => Mark::Failed,
            };
            Some((of(&rejected.client)?, mark))
        }
        AccountEvent::PasswordResetRequested(request) => {
            let mark = match request.password_version {
                0 => Mark::Reset,
                _ => Mark::Accepted,
            };
            Some((of(&request.client)?, mark))
        }
        AccountEvent::PasswordRejected(_)
        | AccountEvent::AccountRegistered(_)
        | AccountEvent::SignInRefused(_)
        | AccountEvent::PasswordChanged(_)
        | AccountEvent::EmailChanged(_)
        | AccountEvent::ProfileChanged(_)
        | AccountEvent::AccountDisabled(_)
        | AccountEvent::AccountEnabled(_)
        | AccountEvent::AccountUnlocked(_)
        | AccountEvent::PasswordExpired(_)
        | AccountEvent::AccountErased(_)
        | AccountEvent::FederatedIdentityLinked(_)
        | AccountEvent::FederatedIdentityRejected(_) => None,
    }
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
