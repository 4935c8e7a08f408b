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
            Mark::Accepted => address.accepted.add(stream, at),
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
        | AccountEvent::AccountErased(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use sekisho_proto::credentials::v1::{
        PasswordAccepted, PasswordChanged, PasswordRejected, PasswordResetRequested,
    };
    use uuid::Uuid;

    use super::Attempt::{Reset, SignIn};
    use super::*;

    const HERE: ClientTag = ClientTag([1; 16]);
    const WITH_FORMER: ClientTag = ClientTag([2; 16]);

    fn start() -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
    }

    fn after(seconds: i64) -> OffsetDateTime {
        start() + Duration::seconds(seconds)
    }

    fn client(tag: ClientTag) -> SealedClient {
        SealedClient {
            sealed: Vec::new(),
            address_tag: tag.0.to_vec(),
        }
    }

    fn stream(number: u128) -> StreamId {
        StreamId(Uuid::from_u128(number))
    }

    fn accepted() -> AccountEvent {
        PasswordAccepted {
            client: Some(client(HERE)),
            ..PasswordAccepted::default()
        }
        .into()
    }

    /// Of an account, or with version 0 of a phantom.
    fn rejected(password_version: u64) -> AccountEvent {
        PasswordRejected {
            password_version,
            client: Some(client(HERE)),
            ..PasswordRejected::default()
        }
        .into()
    }

    fn reset(password_version: u64) -> AccountEvent {
        PasswordResetRequested {
            password_version,
            client: Some(client(HERE)),
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
        let excess = |count| given(&[(count, rejected(1))]).excess(HERE, SignIn, start());
        assert_eq!(excess(59), None);
        assert_eq!(excess(60), Some(Excess::Failures));
        let attempts = given(&[(60, rejected(1))]);
        assert_eq!(attempts.excess(HERE, SignIn, after(299)), Some(Excess::Failures));
        assert_eq!(attempts.excess(HERE, SignIn, after(300)), None);
        assert_eq!(attempts.excess(WITH_FORMER, SignIn, start()), None);
    }

    #[test]
    fn twenty_login_ids_without_success_in_ten_minutes_are_too_many() {
        let excess = |count| given(&[(count, rejected(0))]).excess(HERE, SignIn, start());
        assert_eq!(excess(19), None);
        assert_eq!(excess(20), Some(Excess::LoginIds));
        let attempts = given(&[(20, rejected(0))]);
        assert_eq!(attempts.excess(HERE, SignIn, after(599)), Some(Excess::LoginIds));
        assert_eq!(attempts.excess(HERE, SignIn, after(600)), None);
        let mut one_id = Attempts::default();
        for _ in 0..59 {
            one_id.fold(stream(1), &rejected(0), start());
        }
        assert_eq!(
            one_id.excess(HERE, SignIn, start()),
            None,
            "the lock of that id is another matter"
        );
    }

    /// Of one id or of many: each request is two entries of the log.
    #[test]
    fn twenty_resets_in_ten_minutes_are_too_many_and_keep_nobody_from_signing_in() {
        let mut attempts = Attempts::default();
        for _ in 0..19 {
            attempts.fold(stream(1), &reset(0), start());
        }
        assert_eq!(attempts.excess(HERE, Reset, start()), None);
        attempts.fold(stream(1), &reset(0), start());
        assert_eq!(attempts.excess(HERE, Reset, after(599)), Some(Excess::Resets));
        assert_eq!(attempts.excess(HERE, Reset, after(600)), None);
        assert_eq!(attempts.excess(HERE, SignIn, start()), None);
    }

    /// Else one person's guesses would keep a whole hospital from new passwords.
    #[test]
    fn failed_sign_ins_keep_nobody_from_a_reset() {
        let spraying = given(&[(60, rejected(1)), (60, rejected(0))]);
        assert_eq!(spraying.excess(HERE, SignIn, start()), Some(Excess::Failures));
        assert_eq!(spraying.excess(HERE, Reset, start()), None);
    }

    /// A hospital whose people all need new passwords, each for two minutes at it.
    #[test]
    fn two_hundred_people_behind_one_address_set_new_passwords_in_ten_minutes() {
        let mut attempts = Attempts::default();
        let mut waiting: VecDeque<u128> = (0..200).collect();
        let mut busy: VecDeque<(u128, OffsetDateTime)> = VecDeque::new();
        for second in 0..600 {
            let now = after(second);
            while let Some((person, _)) = busy.pop_front_if(|(_, since)| *since + Duration::minutes(2) <= now)
            {
                attempts.fold(stream(person), &PasswordChanged::default().into(), now);
            }
            while !waiting.is_empty() && attempts.excess(HERE, Reset, now).is_none() {
                let person = waiting.pop_front().unwrap();
                attempts.fold(stream(person), &reset(0), now);
                busy.push_back((person, now));
            }
        }
        assert_eq!(waiting.len(), 0);
    }

    #[test]
    fn a_new_password_buys_resets_once_and_where_it_was_asked_for() {
        let mut attempts = given(&[(20, reset(0))]);
        assert_eq!(attempts.excess(HERE, Reset, start()), Some(Excess::Resets));
        for _ in 0..9 {
            attempts.fold(stream(1), &PasswordChanged::default().into(), start());
            attempts.fold(stream(700), &PasswordChanged::default().into(), start());
        }
        assert_eq!(attempts.excess(HERE, Reset, start()), None);
        for _ in 0..2 {
            attempts.fold(stream(800), &reset(0), start());
        }
        assert_eq!(attempts.excess(HERE, Reset, start()), Some(Excess::Resets));
    }

    /// Else whoever has locked an id could have the service hash for ever.
    #[test]
    fn what_a_lock_refuses_is_a_failure_too() {
        let mut attempts = Attempts::default();
        for _ in 0..60 {
            attempts.failed_without_event(HERE, start());
        }
        assert_eq!(attempts.excess(HERE, SignIn, start()), Some(Excess::Failures));
    }

    /// In ten minutes, one after the other, every tenth of them with a mistake.
    #[test]
    fn a_thousand_people_are_never_held_up_by_their_typing_errors() {
        let mut attempts = Attempts::default();
        for number in 0..1_000_u32 {
            let at = after(i64::from(number) * 600 / 1_000);
            assert_eq!(attempts.excess(HERE, SignIn, at), None, "{number}");
            let person = u128::from(number);
            match number % 20 {
                3 => attempts.fold(stream(100_000 + person), &rejected(0), at),
                13 => attempts.fold(stream(person), &rejected(1), at),
                _ => {}
            }
            attempts.fold(stream(person), &accepted(), at);
        }
    }

    #[test]
    fn where_many_sign_in_more_may_fail() {
        let attempts = given(&[(400, accepted()), (99, rejected(1)), (0, rejected(0))]);
        assert_eq!(attempts.excess(HERE, SignIn, start()), None);
        let attempts = given(&[(400, accepted()), (100, rejected(1))]);
        assert_eq!(attempts.excess(HERE, SignIn, start()), Some(Excess::Failures));
        let attempts = given(&[(400, accepted()), (99, rejected(0))]);
        assert_eq!(attempts.excess(HERE, SignIn, start()), None);
        let attempts = given(&[(400, accepted()), (100, rejected(0))]);
        assert_eq!(attempts.excess(HERE, SignIn, start()), Some(Excess::Failures));
    }

    /// Else whoever has one account would buy any number of guesses by signing in again and again.
    #[test]
    fn signing_in_again_and_again_counts_once() {
        let mut attempts = given(&[(60, rejected(1))]);
        for _ in 0..1_000 {
            attempts.fold(stream(7_000), &accepted(), start());
        }
        assert_eq!(attempts.excess(HERE, SignIn, start()), Some(Excess::Failures));
    }

    #[test]
    fn who_signed_in_long_ago_buys_nothing() {
        let mut attempts = given(&[(400, accepted())]);
        for number in 0..99 {
            attempts.fold(stream(5_000 + number), &rejected(1), after(601));
        }
        assert_eq!(attempts.excess(HERE, SignIn, after(601)), Some(Excess::Failures));
    }

    #[test]
    fn what_a_known_browser_types_and_what_has_no_address_counts_nowhere() {
        let known = PasswordRejected {
            device: vec![8; 32],
            client: Some(client(HERE)),
            ..PasswordRejected::default()
        };
        let attempts = given(&[(100, known.into()), (100, PasswordRejected::default().into())]);
        assert_eq!(
            (attempts.excess(HERE, SignIn, start()), attempts.addresses()),
            (None, 0)
        );
    }

    #[test]
    fn a_distributed_password_that_must_be_changed_is_a_success() {
        let attempts = given(&[(400, reset(1)), (99, rejected(1))]);
        assert_eq!(attempts.excess(HERE, SignIn, start()), None);
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
    fn however_much_comes_from_one_address_memory_is_bounded() {
        let mut attempts = Attempts::default();
        for number in 0..=20_000 {
            for event in [accepted(), rejected(0), reset(0)] {
                attempts.fold(stream(number), &event, start());
            }
        }
        let address = &attempts.addresses[&HERE];
        for streams in [&address.accepted, &address.phantoms] {
            assert_eq!(streams.0.len(), MOST);
        }
        for times in [&address.failures, &address.resets] {
            assert_eq!(times.0.len(), MOST);
        }
        assert_eq!(attempts.asked.len(), MOST);
    }

    #[test]
    fn however_many_addresses_there_are_memory_is_bounded() {
        let mut attempts = Attempts::default();
        let from = |number: u32, at, attempts: &mut Attempts| {
            let mut tag = [0; 16];
            tag[..4].copy_from_slice(&number.to_be_bytes());
            let event = PasswordRejected {
                password_version: 1,
                client: Some(client(ClientTag(tag))),
                ..PasswordRejected::default()
            };
            attempts.fold(stream(1), &event.into(), at);
        };
        for number in 0..20_100 {
            from(number, start(), &mut attempts);
        }
        assert_eq!(attempts.addresses(), 20_000);
    }
}
