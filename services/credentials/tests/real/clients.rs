//! Limits per client address.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use sekisho_credentials::app::{App, Attempt, Denied, Error, Outcome, ResetRequest};
use sekisho_credentials::hashing::Phc;
use sekisho_credentials::sealing::{DayKeys, Seen};
use sekisho_credentials::store::Store;
use sekisho_eventlog::{Entry, Position};
use sekisho_proto::Kind;
use sekisho_proto::credentials::v1::Client;
use sekisho_proto::credentials::v1::client_throttled::Why;
use sekisho_proto::events::{AccountEvent, ClientEvent};
use tokio::task::AbortHandle;

use crate::support::{
    ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, attempt, eventually, hash_of, registration, ring,
};

const HOSPITAL: &str = "198.51.100.7";
/// Calls under way at a time.
const AT_ONCE: usize = 8;

fn seen(address: &str) -> Seen {
    Seen::from(Client {
        address: address.to_owned(),
        user_agent: "tests".to_owned(),
    })
}

fn from(address: &str, login: &str, password: &str) -> Attempt {
    Attempt {
        seen: seen(address),
        ..attempt(login, password)
    }
}

/// A bench whose app counts and records like the service does; until this is dropped.
struct Counting {
    bench: Bench,
    tasks: Vec<AbortHandle>,
}

impl Counting {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let tasks = count(&bench.app).await;
        Self { bench, tasks }
    }

    /// Accounts with one password, login ids `10000` and so on.
    async fn register(&self, accounts: usize) {
        let hash = Arc::new(hash_of(PASSWORD, 19_456));
        let all = stream::iter(0..accounts).map(|number| {
            let (app, hash) = (self.bench.app.clone(), Arc::clone(&hash));
            async move { register(&app, number, &hash).await }
        });
        all.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    async fn client_events(&self) -> Vec<ClientEvent> {
        let head = self.bench.log.confirm_head().await.unwrap();
        let page = self
            .bench
            .log
            .read(Position(0), head, &[Kind::Client], 5_000)
            .await;
        page.unwrap()
            .entries
            .iter()
            .map(|entry| entry.event().unwrap())
            .collect()
    }

    /// Waits until the first entry about refusals stands in the log.
    async fn first_client_event(&self) -> ClientEvent {
        eventually("an entry about refusals", async || {
            self.client_events().await.into_iter().next()
        })
        .await
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn count(app: &App) -> Vec<AbortHandle> {
    let (caught_up, wait) = tokio::sync::oneshot::channel();
    let (follower, recorder) = (app.clone(), app.clone());
    let follow = tokio::spawn(async move { follower.follow_attempts(|| caught_up.send(()).unwrap()).await });
    let record = tokio::spawn(async move { recorder.record_refusals().await });
    wait.await.unwrap();
    vec![follow.abort_handle(), record.abort_handle()]
}

async fn register(app: &App, number: usize, phc: &Phc) {
    let registration = registration(&login(number), ADDRESS, phc);
    app.register(registration, ACTOR).await.unwrap();
}

fn login(number: usize) -> String {
    (10_000 + number).to_string()
}

/// What became of attempts, by kind.
fn sorted(outcomes: &[Outcome]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        let kind = match outcome {
            Outcome::Accepted(_) => "accepted",
            Outcome::MustChange(_) => "must change",
            Outcome::Denied(Denied::WrongPassword) => "wrong",
            Outcome::Denied(Denied::UnknownAccount) => "unknown",
            Outcome::Denied(Denied::Throttled) => "throttled",
            Outcome::Denied(Denied::Locked | Denied::Disabled | Denied::NoEmail) => "other",
        };
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

async fn entries(bench: &Bench) -> Vec<Entry> {
    let head = bench.log.confirm_head().await.unwrap();
    let page = bench.log.read(Position(0), head, &Kind::ALL, 5_000).await;
    page.unwrap().entries
}

/// C-24. What comes at once may be compared before it is counted: a few more than sixty.
#[tokio::test(flavor = "multi_thread")]
async fn one_password_over_300_ids_from_one_address_is_stopped_and_alarmed() {
    let counting = Counting::new().await;
    counting.register(300).await;
    let app = &counting.bench.app;
    let mut outcomes = Vec::new();
    for number in 0..300 {
        let outcome = app
            .verify_password(from(HOSPITAL, &login(number), "Spring2026!"))
            .await;
        outcomes.push(outcome.unwrap());
    }
    let found = sorted(&outcomes);
    assert!((60..90).contains(&found["wrong"]), "{found:?}");
    assert_eq!(found["wrong"] + found["throttled"], 300, "{found:?}");
    let event = counting.first_client_event().await;
    assert!(
        matches!(&event, ClientEvent::ClientThrottled(throttled) if throttled.attempts > 0),
        "{event:?}"
    );
    // Not even with the right password, unless it comes from elsewhere.
    let right = app.verify_password(from(HOSPITAL, &login(299), PASSWORD)).await;
    assert_eq!(right.unwrap(), Outcome::Denied(Denied::Throttled));
    let elsewhere = app
        .verify_password(from("198.51.100.8", &login(299), PASSWORD))
        .await;
    assert!(matches!(elsewhere.unwrap(), Outcome::Accepted(_)));
}

/// More unknown ids than any address may try: those who signed in make room for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_behind_one_address_is_served_with_its_typing_errors() {
    const PEOPLE: usize = 200;
    let counting = Counting::new().await;
    counting.register(PEOPLE).await;
    let people = stream::iter(0..PEOPLE).map(|number| {
        let app = counting.bench.app.clone();
        // Every seventh mistypes the id, every other seventh the password.
        let mistyped = match number % 7 {
            3 => Some((format!("{}x", login(number)), PASSWORD)),
            5 => Some((login(number), "typo")),
            _ => None,
        };
        let right = (login(number), PASSWORD);
        async move {
            let mut outcomes = Vec::new();
            for (login, password) in mistyped.into_iter().chain([right]) {
                let outcome = app.verify_password(from(HOSPITAL, &login, password)).await;
                outcomes.push(outcome.unwrap());
            }
            outcomes
        }
    });
    let outcomes: Vec<Vec<Outcome>> = people.buffered(AT_ONCE).collect().await;
    let expected = BTreeMap::from([("accepted", PEOPLE), ("unknown", 29), ("wrong", 28)]);
    assert_eq!(sorted(&outcomes.concat()), expected);
    assert!(counting.client_events().await.is_empty());
}

/// Passwords for ids that nobody has from one address, and resets of one id from another.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_rubbish_posts_add_a_few_entries() {
    let counting = Counting::new().await;
    let posts = stream::iter(0..100_000).map(|number| {
        let app = counting.bench.app.clone();
        async move {
            app.verify_password(from(HOSPITAL, &format!("rubbish {number}"), "x"))
                .await
        }
    });
    let outcomes: Vec<Outcome> = posts.buffered(AT_ONCE).map(Result::unwrap).collect().await;
    let unknown = sorted(&outcomes)["unknown"];
    assert!((20..60).contains(&unknown), "{unknown}");

    let resets = stream::iter(0..1_000).map(|_| {
        let app = counting.bench.app.clone();
        async move { app.request_reset(reset("198.51.100.8", LOGIN)).await }
    });
    let resets: Vec<Result<_, Error>> = resets.buffered(AT_ONCE).collect().await;
    let minted = resets.iter().filter(|reset| reset.is_ok()).count();
    assert!((20..60).contains(&minted), "{minted}");
    let refused = |reset: &Result<_, Error>| matches!(reset, Ok(_) | Err(Error::Throttled));
    assert!(resets.iter().all(refused), "{resets:?}");
    counting.first_client_event().await;
    let all = entries(&counting.bench).await;
    assert!(all.len() <= 200, "{}", all.len());
}

fn reset(address: &str, login: &str) -> ResetRequest {
    ResetRequest {
        login_id: login.to_owned(),
        // No double click of the one before.
        secret_digest: sekisho_service::entropy::bytes(),
        device: None,
        seen: seen(address),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_an_account_knows_is_served_while_its_address_is_refused() {
    let counting = Counting::new().await;
    counting.bench.register().await;
    let app = &counting.bench.app;
    let in_browser = |device: u8, login: &str| Attempt {
        device: Some([device; 32]),
        ..from(HOSPITAL, login, PASSWORD)
    };
    let first = app.verify_password(in_browser(1, LOGIN)).await.unwrap();
    assert!(matches!(first, Outcome::Accepted(_)), "{first:?}");
    eventually("the address to be refused", async || {
        let outcome = app
            .verify_password(from(HOSPITAL, &unknown(), "x"))
            .await
            .unwrap();
        (outcome == Outcome::Denied(Denied::Throttled)).then_some(())
    })
    .await;
    let known = app.verify_password(in_browser(1, LOGIN)).await.unwrap();
    assert!(matches!(known, Outcome::Accepted(_)), "{known:?}");
    // A new password is the way out for whoever forgot the old one.
    assert!(app.request_reset(reset(HOSPITAL, LOGIN)).await.is_ok());
    // But each request is written to the log, in whatever browser: of them too many are refused.
    let forgotten = || ResetRequest {
        device: Some([1; 32]),
        ..reset("198.51.100.8", LOGIN)
    };
    eventually("resets from an address to be refused", async || {
        matches!(app.request_reset(forgotten()).await, Err(Error::Throttled)).then_some(())
    })
    .await;
    for attempt in [in_browser(2, LOGIN), in_browser(1, &unknown())] {
        let stranger = app.verify_password(attempt).await.unwrap();
        assert_eq!(stranger, Outcome::Denied(Denied::Throttled));
    }
}

/// Whoever owns an account, and has locked it in the own browser: nothing else holds that browser up.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_owns_an_account_does_not_have_the_service_hash_for_ever() {
    let counting = Counting::new().await;
    counting.bench.register().await;
    let app = &counting.bench.app;
    let in_browser = |password: &str| Attempt {
        device: Some([1; 32]),
        ..from(HOSPITAL, LOGIN, password)
    };
    let first = app.verify_password(in_browser(PASSWORD)).await.unwrap();
    assert!(matches!(first, Outcome::Accepted(_)), "{first:?}");
    let posts = stream::iter(0..400).map(|number| {
        let attempt = in_browser(&format!("typo {number}"));
        async move { app.verify_password(attempt).await.unwrap() }
    });
    let outcomes: Vec<Outcome> = posts.buffered(AT_ONCE).collect().await;
    let found = sorted(&outcomes);
    // Ten wrong ones lock; of what the lock refuses, one a second for five minutes is hashed.
    assert!((80..100).contains(&found["throttled"]), "{found:?}");
    let event = counting.first_client_event().await;
    assert!(
        matches!(&event, ClientEvent::ClientThrottled(throttled) if throttled.why() == Why::OneAccount),
        "{event:?}"
    );
    // It is the account's matter.
    let other = app
        .verify_password(from(HOSPITAL, &unknown(), "x"))
        .await
        .unwrap();
    assert_eq!(other, Outcome::Denied(Denied::UnknownAccount));
}

/// Most of what a lock refuses has no event, and costs a hash all the same; in a browser that the account knows it is the account's
/// matter alone.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_lock_refuses_counts_for_its_address_unless_the_browser_is_known() {
    let counting = Counting::new().await;
    counting.bench.register().await;
    counting.register(1).await;
    let app = &counting.bench.app;
    let in_browser = |password: String| Attempt {
        device: Some([1; 32]),
        ..from(HOSPITAL, LOGIN, &password)
    };
    app.verify_password(in_browser(PASSWORD.to_owned()))
        .await
        .unwrap();
    for number in 0..80 {
        let outcome = app
            .verify_password(in_browser(format!("typo {number}")))
            .await
            .unwrap();
        assert_ne!(outcome, Outcome::Denied(Denied::Throttled), "{number}");
    }
    let other = app
        .verify_password(from(HOSPITAL, &login(0), PASSWORD))
        .await
        .unwrap();
    assert!(matches!(other, Outcome::Accepted(_)), "{other:?}");

    let mut outcomes = Vec::new();
    for number in 0..80 {
        let guess = from("198.51.100.9", LOGIN, &format!("guess {number}"));
        outcomes.push(app.verify_password(guess).await.unwrap());
    }
    let found = sorted(&outcomes);
    assert!(found["throttled"] > 0 && found["other"] >= 40, "{found:?}");
    let other = app
        .verify_password(from("198.51.100.9", &login(0), PASSWORD))
        .await;
    assert_eq!(other.unwrap(), Outcome::Denied(Denied::Throttled));
}

/// Midnight by the log's clock is nine o'clock in Japan, when everybody signs in.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_midnight_counts_after_it() {
    let counting = Counting::new().await;
    let app = &counting.bench.app;
    counting
        .bench
        .shift_clock("date_trunc('day', clock_timestamp() at time zone 'UTC') at time zone 'UTC' + interval '1 day 23:59:50'")
        .await;
    eventually("the address to be refused", async || {
        let outcome = app.verify_password(from(HOSPITAL, &unknown(), "x")).await;
        (outcome.unwrap() == Outcome::Denied(Denied::Throttled)).then_some(())
    })
    .await;
    counting
        .bench
        .shift_clock("date_trunc('day', clock_timestamp() at time zone 'UTC') at time zone 'UTC' + interval '2 days 00:00:10'")
        .await;
    let outcome = app.verify_password(from(HOSPITAL, &unknown(), "x")).await;
    assert_eq!(outcome.unwrap(), Outcome::Denied(Denied::Throttled));
}

/// A browser without a cookie gets a new one with each attempt: no account can know it, so none is read.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_in_a_new_browser_makes_nobody_read() {
    let counting = Counting::new().await;
    let app = &counting.bench.app;
    let in_a_browser = |is_new: bool| Attempt {
        device: Some([1; 32]),
        device_is_new: is_new,
        ..from(HOSPITAL, &unknown(), "x")
    };
    eventually("the address to be refused", async || {
        let outcome = app.verify_password(in_a_browser(true)).await.unwrap();
        (outcome == Outcome::Denied(Denied::Throttled)).then_some(())
    })
    .await;
    counting.bench.log.pool().close().await;
    let new = app.verify_password(in_a_browser(true)).await;
    assert_eq!(new.unwrap(), Outcome::Denied(Denied::Throttled));
    assert!(app.verify_password(in_a_browser(false)).await.is_err());
}

fn unknown() -> String {
    uuid::Uuid::from_bytes(sekisho_service::entropy::bytes()).to_string()
}

/// Another replica hears of it from the log.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_counts_every_replica_knows() {
    let counting = Counting::new().await;
    let other = counting.bench.replica().await;
    let tasks = count(&other).await;
    eventually("the address to be refused", async || {
        let outcome = counting
            .bench
            .app
            .verify_password(from(HOSPITAL, &unknown(), "x"))
            .await;
        (outcome.unwrap() == Outcome::Denied(Denied::Throttled)).then_some(())
    })
    .await;
    eventually("the other replica to refuse it", async || {
        let outcome = other
            .verify_password(from(HOSPITAL, &unknown(), "x"))
            .await
            .unwrap();
        (outcome == Outcome::Denied(Denied::Throttled)).then_some(())
    })
    .await;
    tasks.iter().for_each(AbortHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_forms_are_one_entry() {
    let counting = Counting::new().await;
    let app = &counting.bench.app;
    app.note_refused_forms(&seen(HOSPITAL), 7).await.unwrap();
    let ClientEvent::AttemptsRefused(refused) = counting.first_client_event().await else {
        panic!("forms throttle nobody")
    };
    assert_eq!((refused.forms, refused.attempts), (7, 0));
}

/// A mark in the log leads to an address as long as the key of its day exists, and no longer.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_day_is_destroyed_on_the_second_day_after() {
    let bench = Bench::new().await;
    bench.register().await;
    bench
        .app
        .verify_password(from(HOSPITAL, LOGIN, PASSWORD))
        .await
        .unwrap();
    let AccountEvent::PasswordAccepted(accepted) = bench.newest().await.1 else {
        panic!("not accepted")
    };
    let mark = accepted.client.unwrap().address_tag;
    assert_eq!(mark.len(), 16);

    let keys = || DayKeys::new(Store::new(bench.log.pool().clone()), bench.masters.clone());
    let now = bench.log.now();
    let tomorrow = now + time::Duration::DAY;
    let tags = keys().tags(&seen(HOSPITAL), now).await.unwrap().unwrap();
    assert_eq!(tags.today.0.as_slice(), mark);
    keys().forget_old(tomorrow).await.unwrap();
    let tags = keys().tags(&seen(HOSPITAL), tomorrow).await.unwrap().unwrap();
    assert_eq!(tags.yesterday.unwrap().0.as_slice(), mark);
    assert_ne!(tags.today.0.as_slice(), mark);

    let day_after = tomorrow + time::Duration::DAY;
    let held = keys();
    held.tags(&seen(HOSPITAL), tomorrow).await.unwrap();
    held.forget_old(day_after).await.unwrap();
    assert_eq!(bench.sql("select count(*) from credentials.day_key").trim(), "1");
    for keys in [held, keys()] {
        let tags = keys.tags(&seen(HOSPITAL), now).await.unwrap().unwrap();
        assert_ne!(
            tags.today.0.as_slice(),
            mark,
            "a key that was destroyed is not made again"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_replicas_have_the_same_key_of_a_day_and_only_with_its_master_key() {
    let bench = Bench::new().await;
    let keys = |masters| DayKeys::new(Store::new(bench.log.pool().clone()), masters);
    let now = bench.log.now();
    let many = (0..8).map(|_| {
        let keys = keys(bench.masters.clone());
        async move { keys.tags(&seen(HOSPITAL), now).await.unwrap().unwrap() }
    });
    let tags = futures::future::join_all(many).await;
    assert!(tags.iter().all(|other| *other == tags[0]));
    let thief = keys(ring("2026-03", 99)).tags(&seen(HOSPITAL), now).await;
    assert!(thief.is_err());
    assert_eq!(
        keys(bench.masters.clone()).tags(&seen(""), now).await.unwrap(),
        None
    );
}
