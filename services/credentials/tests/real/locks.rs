//! Wrong passwords in a row.

use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt};
use sekisho_credentials::app::{Attempt, Denied, Error, Outcome, PasswordChange};
use sekisho_eventlog::LogFault;
use sekisho_proto::credentials::v1::PasswordRejected;
use sekisho_proto::events::AccountEvent;
use sekisho_proto::otp::v1::Purpose;
use sekisho_proto::sessions::v1::SessionsCut;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, SECRET, attempt, hash_of, pool_of};

const WRONG: Outcome = Outcome::Denied(Denied::WrongPassword);
const LOCKED: Outcome = Outcome::Denied(Denied::Locked);
const UNKNOWN: Outcome = Outcome::Denied(Denied::UnknownAccount);
/// Device cookies.
const OWNERS: u8 = 1;
const STRANGERS: u8 = 2;

async fn registered() -> Bench {
    let bench = Bench::new().await;
    bench.register().await;
    bench
}

/// Every PasswordRejected, in order.
async fn rejected(bench: &Bench) -> Vec<PasswordRejected> {
    let entries = bench.account_entries().await;
    let events = entries.iter().map(|entry| entry.event::<AccountEvent>().unwrap());
    events
        .filter_map(|event| match event {
            AccountEvent::PasswordRejected(rejected) => Some(rejected),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_passwords_lock_for_a_minute_and_the_right_one_fails_meanwhile() {
    let bench = registered().await;
    assert_eq!(bench.guess(LOGIN, 1..=10).await, [WRONG; 10]);
    assert_eq!(bench.sign_in(LOGIN, PASSWORD).await, LOCKED);
    bench
        .shift_clock("clock_timestamp() + interval '30 seconds'")
        .await;
    assert_eq!(bench.sign_in(LOGIN, PASSWORD).await, LOCKED);

    bench
        .shift_clock("clock_timestamp() + interval '70 seconds'")
        .await;
    assert_eq!(bench.sign_in(LOGIN, "wrong 11").await, WRONG);
    assert_eq!(bench.sign_in(LOGIN, PASSWORD).await, LOCKED);
    bench
        .shift_clock("clock_timestamp() + interval '140 seconds'")
        .await;
    bench.accepted().await;
    assert_eq!(bench.guess(LOGIN, 12..=20).await, [WRONG; 9]);
    bench.accepted().await;

    let locks: Vec<i64> = rejected(&bench)
        .await
        .iter()
        .map(|event| event.lock.map_or(0, |lock| lock.seconds))
        .collect();
    assert_eq!(locks[8..11], [0, 60, 60]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_login_id_is_locked_like_any_other() {
    let bench = registered().await;
    assert_eq!(bench.guess("04500009", 1..=10).await, [UNKNOWN; 10]);
    assert_eq!(bench.sign_in("04500009", PASSWORD).await, LOCKED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_wrong_password_fifty_times_does_not_lock() {
    let bench = registered().await;
    assert_eq!(bench.sign_in(LOGIN, "habit 1").await, WRONG);
    assert_eq!(bench.sign_in(LOGIN, "habit 2").await, WRONG);
    for number in 0..48 {
        let again = format!("habit {}", 1 + number % 2);
        assert_eq!(bench.sign_in(LOGIN, &again).await, WRONG);
    }
    bench.accepted().await;
    let counted = rejected(&bench)
        .await
        .iter()
        .filter(|event| !event.repeated)
        .count();
    assert_eq!(counted, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wrong_passwords_are_known_again_for_a_day() {
    let bench = registered().await;
    bench.guess(LOGIN, 1..=4).await;
    bench.guess(LOGIN, 4..=4).await;
    bench.guess(LOGIN, 1..=1).await;
    let repeated: Vec<bool> = rejected(&bench)
        .await
        .iter()
        .map(|event| event.repeated)
        .collect();
    assert_eq!(repeated, [false, false, false, false, true, false]);

    bench.shift_clock("clock_timestamp() + interval '25 hours'").await;
    bench.guess(LOGIN, 1..=1).await;
    assert!(!rejected(&bench).await.last().unwrap().repeated);
    let left = "select count(*) from credentials.wrong_password;";
    assert_eq!(bench.sql(left), "1", "what is older than a day is dropped");
}

/// What never reached an event was told to nobody: it counts when it is typed again.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_refused_unseen_is_not_known_again() {
    let bench = registered().await;
    bench.guess(LOGIN, 1..=10).await;
    assert_eq!(bench.sign_in(LOGIN, "wrong 11").await, LOCKED);
    bench
        .shift_clock("clock_timestamp() + interval '70 seconds'")
        .await;
    assert_eq!(bench.sign_in(LOGIN, "wrong 11").await, WRONG);
    assert!(!rejected(&bench).await.last().unwrap().repeated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_lock_the_owner_out_of_his_browser() {
    let bench = registered().await;
    let outcome = bench.sign_in_with(OWNERS, LOGIN, PASSWORD).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    bench.guess(LOGIN, 1..=10).await;
    assert_eq!(bench.sign_in(LOGIN, PASSWORD).await, LOCKED);
    // A cookie that the account does not know is worth nothing.
    assert_eq!(bench.sign_in_with(STRANGERS, LOGIN, PASSWORD).await, LOCKED);

    for number in 0..9 {
        let typo = format!("typo {number}");
        assert_eq!(bench.sign_in_with(OWNERS, LOGIN, &typo).await, WRONG);
    }
    let outcome = bench.sign_in_with(OWNERS, LOGIN, PASSWORD).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!(
        bench.sign_in(LOGIN, PASSWORD).await,
        LOCKED,
        "strangers stay locked"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owners_browser_is_locked_by_what_is_typed_in_it() {
    let bench = registered().await;
    bench.sign_in_with(OWNERS, LOGIN, PASSWORD).await;
    for number in 0..10 {
        bench.sign_in_with(OWNERS, LOGIN, &format!("typo {number}")).await;
    }
    assert_eq!(bench.sign_in_with(OWNERS, LOGIN, PASSWORD).await, LOCKED);
    bench.accepted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_cookie_is_known_to_the_accounts_that_signed_in_with_it_only() {
    let bench = registered().await;
    bench
        .register_as("04500002", ADDRESS, &hash_of(PASSWORD, 64))
        .await;
    bench.sign_in_with(OWNERS, LOGIN, PASSWORD).await;
    bench.guess("04500002", 1..=10).await;
    assert_eq!(bench.sign_in_with(OWNERS, "04500002", PASSWORD).await, LOCKED);

    // Two accounts in one browser have nothing in common in the log.
    bench
        .shift_clock("clock_timestamp() + interval '70 seconds'")
        .await;
    bench.sign_in_with(OWNERS, "04500002", PASSWORD).await;
    let events = bench.account_entries().await;
    let devices: Vec<Vec<u8>> = events
        .iter()
        .filter_map(|entry| match entry.event().unwrap() {
            AccountEvent::PasswordAccepted(accepted) => Some(accepted.device),
            _ => None,
        })
        .collect();
    assert_eq!(devices.len(), 2);
    assert_ne!(devices[0], devices[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_ends_what_a_browser_was_known_for() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.sign_in_with(OWNERS, LOGIN, PASSWORD).await;
    bench.guess(LOGIN, 1..=10).await;
    bench.as_sessions(account, None, SessionsCut {}.into()).await;
    assert_eq!(bench.sign_in_with(OWNERS, LOGIN, PASSWORD).await, LOCKED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_lock_and_makes_its_browser_known() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.sign_in_with(STRANGERS, LOGIN, PASSWORD).await;
    bench.guess(LOGIN, 1..=10).await;
    let flow = bench.reset(LOGIN).await;
    bench.verify_code(account, flow, Purpose::Reset).await;
    let new = "a new password of 2026";
    let change = PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new(new.to_owned()),
        command: entropy::bytes().into(),
        device: Some([OWNERS; 32]),
    };
    bench.app.set_password(change).await.unwrap();

    assert_eq!(bench.guess(LOGIN, 11..=20).await, [WRONG; 10]);
    assert_eq!(bench.sign_in(LOGIN, new).await, LOCKED);
    assert_eq!(bench.sign_in_with(STRANGERS, LOGIN, new).await, LOCKED);
    let outcome = bench.sign_in_with(OWNERS, LOGIN, new).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_ends_a_lock() {
    let bench = registered().await;
    bench.guess(LOGIN, 1..=10).await;
    assert!(bench.app.unlock(LOGIN, ACTOR).await.unwrap().0 > 0);
    bench.accepted().await;
    let outcome = bench.app.unlock("04500009", ACTOR).await;
    assert!(matches!(outcome, Err(Error::AccountUnknown)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_unseen_leaves_one_event_a_minute() {
    let bench = registered().await;
    bench.guess(LOGIN, 1..=10).await;
    let before = bench.account_entries().await.len();
    assert_eq!(bench.guess(LOGIN, 11..=30).await, [LOCKED; 20]);
    assert_eq!(bench.account_entries().await.len(), before + 1);
    bench.app.unlock(LOGIN, ACTOR).await.unwrap();
    bench.app.disable(LOGIN, ACTOR).await.unwrap();
    let before = bench.account_entries().await.len();
    let disabled = Outcome::Denied(Denied::Disabled);
    assert_eq!(bench.sign_in(LOGIN, PASSWORD).await, disabled);
    bench
        .shift_clock("clock_timestamp() + interval '61 seconds'")
        .await;
    assert_eq!(bench.sign_in(LOGIN, PASSWORD).await, disabled);
    assert_eq!(bench.sign_in(LOGIN, PASSWORD).await, disabled);
    assert_eq!(bench.account_entries().await.len(), before + 1);
}

/// Four replicas at once: ten verdicts leave the service at most, and the right password among the late ones does not
/// sign in.
#[tokio::test(flavor = "multi_thread")]
async fn of_200_guesses_at_once_over_four_replicas_ten_are_answered() {
    let bench = Bench::with_pool(pool_of(2, 16)).await;
    bench.register().await;
    let replicas = join_all((0..3).map(|_| bench.replica())).await;
    let replicas: Vec<_> = std::iter::once(bench.app.clone()).chain(replicas).collect();
    let guess = |number: usize, password: String| {
        let app = replicas[number % replicas.len()].clone();
        async move { (number, app.verify_password(attempt(LOGIN, &password)).await) }
    };
    let mut running: FuturesUnordered<_> = (0..200)
        .map(|number| guess(number, format!("wrong {number}")))
        .collect();
    let (mut wrong, mut locked, mut unanswered, mut right) = (0, 0, 0, Vec::new());
    let mut next_right = 204;
    while let Some((number, outcome)) = running.next().await {
        match outcome {
            Ok(WRONG) => wrong += 1,
            Ok(LOCKED) if number < 200 => {
                locked += 1;
                // As soon as one has met the lock, the right password on every replica, beside the rest.
                if locked == 1 {
                    running.extend((200..204).map(|number| guess(number, PASSWORD.to_owned())));
                }
            }
            Ok(outcome) => right.push(outcome),
            // No place in the pool, or, on a machine that does much else, no answer within two seconds.
            Err(Error::HashingBusy | Error::Log(LogFault::Unavailable)) => {
                unanswered += 1;
                // The right one is asked until each of the four has its answer.
                if number >= 200 {
                    running.push(guess(next_right, PASSWORD.to_owned()));
                    next_right += 1;
                }
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    println!(
        "{wrong} wrong, {locked} locked, {unanswered} without an answer, {} right",
        right.len()
    );
    assert!(locked > 0 && wrong <= 10, "{wrong} verdicts left the service");
    assert_eq!(right, [LOCKED; 4]);
    let events = rejected(&bench).await;
    assert_eq!(
        events.len(),
        10,
        "each compared guess has its event, and no other"
    );
    assert!(events.last().unwrap().lock.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_attempt_without_a_device_cookie_is_a_stranger() {
    let bench = registered().await;
    bench.sign_in_with(OWNERS, LOGIN, PASSWORD).await;
    bench.guess(LOGIN, 1..=10).await;
    let without = Attempt {
        device: None,
        ..attempt(LOGIN, PASSWORD)
    };
    assert_eq!(bench.app.verify_password(without).await.unwrap(), LOCKED);
}
