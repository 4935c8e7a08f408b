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
/// Login ids without success in that time that any address may have.
const LOGIN_IDS: usize = 20;
/// Beyond that, a quarter of the accounts that signed in.
const SHARE: usize = 4;

/// Addresses that are remembered at a time, and what is remembered of each, at most. Who has so many addresses is not held
/// up by limits per address.
const MOST_ADDRESSES: usize = 20_000;
const MOST: usize = 20_000;

/// What came from each address in the last minutes.
#[derive(Debug, Clone, Default)]
pub struct Attempts(HashMap<ClientTag, Address>);

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Too many failures, in proportion to the accounts that signed in.
    Failures,
    /// Too many login ids without success, in proportion to the accounts that signed in.
    LoginIds,
}

/// What came from one address, oldest first.
#[derive(Debug, Clone, Default)]
struct Address {
    failures: VecDeque<OffsetDateTime>,
    strangers: Streams,
    accepted: Streams,
}

/// Streams, each with its newest event.
#[derive(Debug, Clone, Default)]
struct Streams(HashMap<StreamId, OffsetDateTime>);

/// What an event says of the address that it came from.
enum Mark {
    /// A password was right.
    Accepted,
    /// A password was wrong, on a login id that somebody has.
    Failed,
    /// A login id that nobody has, or one whose owner has not shown anything yet.
    Stranger {
        /// With a wrong password.
        failed: bool,
    },
}

impl Attempts {
    /// After one more event of an account or a phantom.
    pub fn fold(&mut self, stream: StreamId, event: &AccountEvent, at: OffsetDateTime) {
        let Some((tag, mark)) = read(event) else { return };
        if !self.0.contains_key(&tag) && self.0.len() >= MOST_ADDRESSES {
            self.forget_old(at);
            if self.0.len() >= MOST_ADDRESSES {
                return;
            }
        }
        let address = self.0.entry(tag).or_default();
        match mark {
            Mark::Accepted => address.accepted.add(stream, at),
            Mark::Failed => address.failed(at),
            Mark::Stranger { failed } => {
                address.strangers.add(stream, at);
                if failed {
                    address.failed(at);
                }
            }
        }
    }

    /// Why nothing from an address is compared at a moment; `None` while it may go on.
    pub fn excess(&self, tag: ClientTag, now: OffsetDateTime) -> Option<Excess> {
        self.0.get(&tag)?.excess(now)
    }

    /// Drops what no longer counts.
    pub fn forget_old(&mut self, now: OffsetDateTime) {
        self.0.retain(|_, address| {
            address.forget_old(now);
            !address.is_empty()
        });
    }

    /// Addresses that are remembered.
    pub fn addresses(&self) -> usize {
        self.0.len()
    }
}

impl Address {
    fn failed(&mut self, at: OffsetDateTime) {
        if self.failures.len() >= MOST {
            self.failures.pop_front();
        }
        self.failures.push_back(at);
    }

    fn excess(&self, now: OffsetDateTime) -> Option<Excess> {
        let share = self.accepted.since(now - COUNTED) / SHARE;
        let newest_first = self.failures.iter().rev();
        let failures = newest_first.take_while(|at| now < **at + FAILURES_COUNT).count();
        if failures >= FAILURES.max(share) {
            Some(Excess::Failures)
        } else if self.strangers.since(now - COUNTED) >= LOGIN_IDS.max(share) {
            Some(Excess::LoginIds)
        } else {
            None
        }
    }

    fn forget_old(&mut self, now: OffsetDateTime) {
        let old = |at: &OffsetDateTime| now >= *at + FAILURES_COUNT;
        while self.failures.front().is_some_and(old) {
            self.failures.pop_front();
        }
        self.strangers.forget_until(now - COUNTED);
        self.accepted.forget_until(now - COUNTED);
    }

    fn is_empty(&self) -> bool {
        self.failures.is_empty() && self.strangers.0.is_empty() && self.accepted.0.is_empty()
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
        AccountEvent::PasswordRejected(rejected) if rejected.device.is_empty() => {
            let mark = match rejected.password_version {
                0 => Mark::Stranger { failed: true },
                _ => Mark::Failed,
            };
            Some((of(&rejected.client)?, mark))
        }
        AccountEvent::PasswordResetRequested(request) => {
            let mark = match request.password_version {
                0 => Mark::Stranger { failed: false },
                _ => Mark::Accepted,
            };
            Some((of(&request.client)?, mark))
        }
        AccountEvent::PasswordRejected(_)
        | AccountEvent::AccountRegistered(_)
        | AccountEvent::SignInRefused(_)
        | AccountEvent::PasswordChanged(_)
        | AccountEvent::EmailChanged(_)
        | AccountEvent::AccountDisabled(_)
        | AccountEvent::AccountEnabled(_)
        | AccountEvent::AccountUnlocked(_)
        | AccountEvent::PasswordExpired(_)
        | AccountEvent::AccountErased(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use sekisho_proto::credentials::v1::{PasswordAccepted, PasswordRejected, PasswordResetRequested};
    use uuid::Uuid;

    use super::*;

    const HERE: ClientTag = ClientTag([1; 16]);
    const ELSEWHERE: ClientTag = ClientTag([2; 16]);

    fn start() -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
    }

    fn after(seconds: i64) -> OffsetDateTime {
        start() + Duration::seconds(seconds)
    }

    fn client(tag: ClientTag) -> Option<SealedClient> {
        Some(SealedClient {
            sealed: Vec::new(),
            address_tag: tag.0.to_vec(),
        })
    }

    fn stream(number: u128) -> StreamId {
        StreamId(Uuid::from_u128(number))
    }

    fn accepted() -> AccountEvent {
        PasswordAccepted {
            client: client(HERE),
            ..PasswordAccepted::default()
        }
        .into()
    }

    /// Of an account, or with version 0 of a phantom.
    fn rejected(password_version: u64) -> AccountEvent {
        PasswordRejected {
            password_version,
            client: client(HERE),
            ..PasswordRejected::default()
        }
        .into()
    }

    fn reset(password_version: u64) -> AccountEvent {
        PasswordResetRequested {
            password_version,
            client: client(HERE),
            ..PasswordResetRequested::default()
        }
        .into()
    }

    /// The same event on so many streams, all at the start.
    fn given(events: &[(u128, AccountEvent)]) -> Attempts {
        let mut attempts = Attempts::default();
        let mut number = 0;
        for (count, event) in events {
            for _ in 0..*count {
                number += 1;
                attempts.fold(stream(number), event, start());
            }
        }
        attempts
    }

    #[test]
    fn sixty_failures_in_five_minutes_are_too_many_on_however_many_accounts() {
        let excess = |count| given(&[(count, rejected(1))]).excess(HERE, start());
        assert_eq!(excess(59), None);
        assert_eq!(excess(60), Some(Excess::Failures));
        let attempts = given(&[(60, rejected(1))]);
        assert_eq!(attempts.excess(HERE, after(299)), Some(Excess::Failures));
        assert_eq!(attempts.excess(HERE, after(300)), None);
        assert_eq!(attempts.excess(ELSEWHERE, start()), None);
    }

    #[test]
    fn twenty_login_ids_without_success_in_ten_minutes_are_too_many() {
        let excess = |count| given(&[(count, rejected(0))]).excess(HERE, start());
        assert_eq!(excess(19), None);
        assert_eq!(excess(20), Some(Excess::LoginIds));
        let attempts = given(&[(20, rejected(0))]);
        assert_eq!(attempts.excess(HERE, after(599)), Some(Excess::LoginIds));
        assert_eq!(attempts.excess(HERE, after(600)), None);
        let resets = given(&[(20, reset(0))]);
        assert_eq!(resets.excess(HERE, start()), Some(Excess::LoginIds));
        let mut one_id = Attempts::default();
        for _ in 0..59 {
            one_id.fold(stream(1), &rejected(0), start());
        }
        assert_eq!(
            one_id.excess(HERE, start()),
            None,
            "the lock of that id is another matter"
        );
    }

    #[test]
    fn where_many_sign_in_more_may_fail() {
        let attempts = given(&[(400, accepted()), (99, rejected(1)), (0, rejected(0))]);
        assert_eq!(attempts.excess(HERE, start()), None);
        let attempts = given(&[(400, accepted()), (100, rejected(1))]);
        assert_eq!(attempts.excess(HERE, start()), Some(Excess::Failures));
        let attempts = given(&[(400, accepted()), (99, rejected(0))]);
        assert_eq!(attempts.excess(HERE, start()), None);
        let attempts = given(&[(400, accepted()), (100, rejected(0))]);
        assert_eq!(attempts.excess(HERE, start()), Some(Excess::Failures));
    }

    /// Else whoever has one account would buy any number of guesses by signing in again and again.
    #[test]
    fn signing_in_again_and_again_counts_once() {
        let mut attempts = given(&[(60, rejected(1))]);
        for _ in 0..1_000 {
            attempts.fold(stream(7_000), &accepted(), start());
        }
        assert_eq!(attempts.excess(HERE, start()), Some(Excess::Failures));
    }

    #[test]
    fn who_signed_in_long_ago_buys_nothing() {
        let mut attempts = given(&[(400, accepted())]);
        for number in 0..99 {
            attempts.fold(stream(5_000 + number), &rejected(1), after(601));
        }
        assert_eq!(attempts.excess(HERE, after(601)), Some(Excess::Failures));
    }

    #[test]
    fn what_a_known_browser_types_and_what_has_no_address_counts_nowhere() {
        let known = PasswordRejected {
            device: vec![8; 32],
            client: client(HERE),
            ..PasswordRejected::default()
        };
        let attempts = given(&[(100, known.into()), (100, PasswordRejected::default().into())]);
        assert_eq!((attempts.excess(HERE, start()), attempts.addresses()), (None, 0));
    }

    #[test]
    fn a_distributed_password_that_must_be_changed_is_a_success() {
        let attempts = given(&[(400, reset(1)), (99, rejected(1))]);
        assert_eq!(attempts.excess(HERE, start()), None);
    }

    #[test]
    fn what_no_longer_counts_is_forgotten() {
        let mut attempts = given(&[(5, accepted()), (5, rejected(0)), (5, rejected(1))]);
        attempts.forget_old(after(599));
        assert_eq!(attempts.addresses(), 1);
        attempts.forget_old(after(600));
        assert_eq!(attempts.addresses(), 0);
    }

    #[test]
    fn however_many_addresses_there_are_memory_is_bounded() {
        let mut attempts = Attempts::default();
        let from = |number: u32, at, attempts: &mut Attempts| {
            let mut tag = [0; 16];
            tag[..4].copy_from_slice(&number.to_be_bytes());
            let event = PasswordRejected {
                password_version: 1,
                client: client(ClientTag(tag)),
                ..PasswordRejected::default()
            };
            attempts.fold(stream(1), &event.into(), at);
        };
        for number in 0..20_100 {
            from(number, start(), &mut attempts);
        }
        assert_eq!(attempts.addresses(), 20_000);
        from(30_000, after(601), &mut attempts);
        assert_eq!(attempts.addresses(), 1, "the old ones make room");
    }
}
