use sekisho_proto::credentials::v1::{
    PasswordAccepted, PasswordChanged, PasswordRejected, PasswordResetRequested,
};
use uuid::Uuid;

use super::Attempt::{Reset, SignIn};
use super::*;

const HERE: ClientTag = ClientTag([1; 16]);
const ELSEWHERE: ClientTag = ClientTag([2; 16]);

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
    assert_eq!(attempts.excess(ELSEWHERE, SignIn, start()), None);
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
        while let Some((person, _)) = busy.pop_front_if(|(_, since)| *since + Duration::minutes(2) <= now) {
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

/// Each is a hash, and no address is held up for it.
#[test]
fn a_sign_in_of_one_account_a_second_is_enough() {
    let mut attempts = Attempts::default();
    for second in 0..299 {
        let at = after(second);
        if second % 2 == 0 {
            attempts.fold(stream(1), &accepted(), at);
        } else {
            attempts.hashed_for(stream(1), at);
        }
    }
    assert_eq!(attempts.excess_of(stream(1), after(298)), None);
    attempts.hashed_for(stream(1), after(298));
    assert_eq!(
        attempts.excess_of(stream(1), after(299)),
        Some(Excess::OneAccount)
    );
    assert_eq!(
        attempts.excess_of(stream(1), after(300)),
        None,
        "the first counts no more"
    );
    assert_eq!(attempts.excess_of(stream(2), after(299)), None);
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
    assert_eq!((attempts.addresses(), attempts.of_accounts.len()), (0, 0));
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
    assert_eq!((attempts.asked.len(), attempts.of_accounts.len()), (MOST, MOST));
    for _ in 0..1_000 {
        attempts.fold(stream(0), &accepted(), start());
    }
    assert_eq!(attempts.of_accounts[&stream(0)].0.len(), OF_ONE_ACCOUNT);
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
