//! A provider that is away, slow, or has new keys (C-94, F18).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use openidconnect::IssuerUrl;
use sekisho_credentials::app::{App, Attempt, Error, Outcome};
use sekisho_credentials::domain::client::Unvouched;
use sekisho_credentials::provider::Freshness;
use sekisho_eventlog::Position;
use sekisho_proto::Kind;
use sekisho_proto::credentials::v1::AttemptsRefused;
use sekisho_proto::credentials::v1::attempts_refused::Reason;
use sekisho_proto::events::ClientEvent;
use tokio::time::{Instant, timeout};

use super::provider::{OTHER_RSA, RSA};
use super::{Staff, UNREACHABLE, beginning, client, is_accepted};
use crate::support::{ADDRESS, PASSWORD, attempt, eventually, hash_of};

/// signing-key-rotation: the new key is there before the old one goes, or takes its place under the same id.
#[tokio::test(flavor = "multi_thread")]
async fn new_keys_are_learned_when_a_token_needs_them() {
    let staff = Staff::new().await;
    assert!(is_accepted(&staff.sign_in().await));
    let asked = || staff.provider.asked_for_keys.load(Ordering::SeqCst);
    assert_eq!(asked(), 1);
    {
        let mut script = staff.provider.script();
        script.keys = vec![("key-1", RSA), ("key-2", OTHER_RSA)];
        script.signs_with = "key-2";
    }
    assert!(is_accepted(&staff.sign_in().await));
    assert_eq!(asked(), 2, "once for the new key");
    assert!(is_accepted(&staff.sign_in().await));
    assert_eq!(asked(), 2);
    staff.provider.script().keys = vec![("key-2", RSA)];
    assert!(is_accepted(&staff.sign_in().await), "another key of the same id");
    assert_eq!(asked(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_under_load_and_nobody_is_refused() {
    let staff = Staff::new().await;
    let goes_on = AtomicBool::new(true);
    let people = (0..8_u8).map(|number| {
        let (staff, goes_on) = (&staff, &goes_on);
        async move {
            let mut signed_in = 0;
            while goes_on.load(Ordering::SeqCst) {
                let returned = staff.visit_with(false, [number; 32]).await;
                let finished = staff.finish(returned).await;
                assert!(is_accepted(&finished), "{finished:?}");
                signed_in += 1;
            }
            signed_in
        }
    });
    let rotate = async {
        for turn in 0..20 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let mut script = staff.provider.script();
            let (kid, other) = if turn % 2 == 0 {
                ("key-2", "key-1")
            } else {
                ("key-1", "key-2")
            };
            let pem = |kid| if kid == "key-1" { RSA } else { OTHER_RSA };
            script.keys = vec![(kid, pem(kid)), (other, pem(other))];
            script.signs_with = kid;
        }
        // At last a key that nobody has seen, in place of all others.
        {
            let mut script = staff.provider.script();
            script.keys = vec![("key-3", RSA)];
            script.signs_with = "key-3";
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        goes_on.store(false, Ordering::SeqCst);
    };
    let (signed_in, ()) = tokio::join!(join_all(people), rotate);
    let total: usize = signed_in.iter().sum();
    assert!(signed_in.iter().all(|count| *count > 0), "{signed_in:?}");
    assert_eq!(staff.accepted().await, total);
    let asked = staff.provider.asked_for_keys.load(Ordering::SeqCst);
    assert!(
        (2..total).contains(&asked),
        "asked {asked} times for {total} sign-ins"
    );
}

/// Tokens that come at the same moment need keys that nobody has.
#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_need_new_keys_one_asks() {
    let mut staff = Staff::new().await;
    let patient = client(&staff.provider, |settings| {
        settings.patience = Duration::from_secs(30);
    });
    staff.app = staff.bench.app.clone().with_provider(patient);
    let returned = join_all((0..16_u8).map(|number| staff.visit_with(false, [number; 32]))).await;
    let asked = || staff.provider.asked_for_keys.load(Ordering::SeqCst);
    let before = asked();
    {
        let mut script = staff.provider.script();
        script.keys = vec![("key-2", OTHER_RSA)];
        script.signs_with = "key-2";
        script.delay = Duration::from_millis(500);
    }
    let finished = join_all(returned.into_iter().map(|returned| staff.finish(returned))).await;
    assert!(finished.iter().all(is_accepted), "{finished:?}");
    // Who got the token after the first had asked asks once more, for all who have theirs by then.
    let more = asked() - before;
    assert!((1..8).contains(&more), "{more}");
}

/// Whoever waits takes up room that hospitals need.
#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_ask_a_silent_provider_one_waits() {
    let staff = Staff::new().await;
    let slow = client(&staff.provider, |settings| {
        settings.patience = Duration::from_secs(5);
    });
    let app = staff.bench.app.clone().with_provider(slow);
    staff.provider.script().delay = Duration::from_mins(1);
    let refused = app.begin_federated(beginning()).await;
    assert!(matches!(refused, Err(Error::ProviderUnreachable)), "{refused:?}");
    // The request behind it is given up a moment later. Whoever comes before that is told with it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut asked: FuturesUnordered<_> = (0..50).map(|_| app.begin_federated(beginning())).collect();
    let told = async {
        for _ in 1..50 {
            let refused = asked.next().await.unwrap();
            assert!(matches!(refused, Err(Error::ProviderUnreachable)), "{refused:?}");
        }
    };
    // Without it all of them would wait for its whole patience.
    timeout(Duration::from_secs(4), told).await.unwrap();
}

/// It takes longer than anybody waits for it, and meanwhile everybody else signs in as ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_hangs_holds_up_nobody_else() {
    let mut staff = Staff::new().await;
    let provider = client(&staff.provider, |settings| {
        settings.patience = Duration::from_millis(500);
    });
    staff.app = staff.bench.app.clone().with_provider(provider);
    let phc = hash_of(PASSWORD, 19_456);
    staff.bench.register_as("04500002", ADDRESS, &phc).await;
    // Before it is slow, it has said where people are sent to.
    eventually("what the provider says of itself", async || {
        staff.app.begin_federated(beginning()).await.ok()
    })
    .await;
    // More than may ask at a time.
    let returned = join_all((0..40_u8).map(|number| staff.visit_with(false, [number; 32]))).await;
    staff.provider.script().delay = Duration::from_secs(20);
    let begun = Instant::now();
    let waiting = join_all(returned.into_iter().map(|returned| staff.finish(returned)));
    let hospital = async {
        let outcome = staff
            .app
            .verify_password(Attempt {
                secret_digest: [3; 32],
                ..attempt("04500002", PASSWORD)
            })
            .await
            .unwrap();
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    };
    let (answers, ()) = tokio::join!(waiting, hospital);
    assert!(answers.iter().all(|answer| *answer == UNREACHABLE), "{answers:?}");
    // Not a bound on how fast it is: without one they would wait for twenty seconds.
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_said_to_be() {
    let staff = Staff::new().await;
    let nowhere = client(&staff.provider, |settings| {
        // Nobody listens there.
        settings.issuer = IssuerUrl::new("http://127.0.0.1:1".to_owned()).unwrap();
    });
    let app = staff.bench.app.clone().with_provider(nowhere);
    let refused = app.begin_federated(beginning()).await;
    assert!(matches!(refused, Err(Error::ProviderUnreachable)), "{refused:?}");
    // That is counted as well.
    let told = recorded_refusals(&staff, &app).await;
    assert_eq!(told, [(Reason::ProviderUnreachable, 1)]);
}

/// A provider that says nothing of itself any more.
fn silent(said: &mut serde_json::Value) {
    *said = serde_json::json!("nothing");
}

/// It would show nothing of ours.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_to_a_provider_that_has_gone_away() {
    let mut staff = Staff::new().await;
    let with = |leading, usable| {
        let provider = client(&staff.provider, |settings| {
            settings.freshness = Freshness { leading, usable };
        });
        staff.bench.app.clone().with_provider(provider)
    };
    let (never, long) = (Duration::ZERO, Duration::from_hours(1));
    let [asks, remembers, forgets] = [with(never, long), with(long, long), with(long, never)];
    let mut left = Vec::new();
    for app in [&asks, &remembers, &forgets] {
        staff.app = app.clone();
        left.push((app.clone(), staff.visit().await));
    }
    staff.provider.script().metadata = silent;
    let refused = asks.begin_federated(beginning()).await;
    assert!(matches!(refused, Err(Error::ProviderUnreachable)), "{refused:?}");
    remembers.begin_federated(beginning()).await.unwrap();
    // Whoever was led there before comes in by what it said then, while that is recent enough.
    let mut finished = Vec::new();
    for (app, returned) in left {
        staff.app = app;
        finished.push(staff.finish(returned).await);
    }
    assert!(finished[..2].iter().all(is_accepted), "{finished:?}");
    assert_eq!(finished[2], UNREACHABLE);

    staff.provider.script().metadata = |_| ();
    asks.begin_federated(beginning()).await.unwrap();
}

/// A refusal that tells nothing of a person is counted by its reason, once a minute for an address.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_without_a_person_stand_in_the_log_by_their_reason() {
    let staff = Staff::new().await;
    for (error, times) in [("access_denied", 2), ("login_required", 1), ("server_error", 3)] {
        for _ in 0..times {
            let returned = staff
                .visit()
                .await
                .with(|answer| error.clone_into(&mut answer.error));
            staff.finish(returned).await;
        }
    }
    let returned = staff.visit().await.with(|answer| answer.state.clear());
    assert_eq!(
        staff.finish(returned).await,
        super::Finished::Unvouched(Unvouched::Binding)
    );
    assert_eq!(
        recorded_refusals(&staff, &staff.app).await,
        [
            (Reason::Cancelled, 2),
            (Reason::Binding, 1),
            (Reason::Retry, 1),
            (Reason::ProviderFailed, 3),
        ]
    );
}

/// What stands in the log of refusals that tell nothing of a person, once it is recorded.
async fn recorded_refusals(staff: &Staff, app: &App) -> Vec<(Reason, u64)> {
    let recording = tokio::spawn({
        let app = app.clone();
        async move { app.record_refusals().await }
    });
    let told = eventually("the refusals in the log", async || {
        let head = staff.head().await;
        let page = staff
            .bench
            .log
            .read(Position(0), head, &[Kind::Client], 100)
            .await;
        page.unwrap()
            .entries
            .first()
            .map(|entry| entry.event::<ClientEvent>().unwrap())
    })
    .await;
    recording.abort();
    let ClientEvent::AttemptsRefused(AttemptsRefused {
        attempts: 0,
        forms: 0,
        federated,
    }) = told
    else {
        panic!("{told:?}");
    };
    federated.iter().map(|one| (one.reason(), one.attempts)).collect()
}
