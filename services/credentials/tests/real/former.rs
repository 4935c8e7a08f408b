//! Passwords that stand with the former system, on real HTTP.

use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use futures::stream::{FuturesUnordered, StreamExt as _};
use sekisho_credentials::app::{App, Denied, Error, Outcome, PasswordChange, Registration};
use sekisho_credentials::domain::PasswordError;
use sekisho_credentials::former::TokenEndpoint;
use sekisho_credentials::hashing::FirstPassword;
use sekisho_eventlog::StreamId;
use sekisho_proto::otp::v1::Purpose;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{
    ACTOR, ADDRESS, Bench, LOGIN, SECRET, attempt, eventually, hash_without_password, registration,
};

/// Too short for a new one.
const OLD: &str = "old pass";

/// A token endpoint that knows one person.
#[derive(Clone, Default)]
struct Former {
    asked: Arc<AtomicUsize>,
    /// Answers with this status in place of a verdict; 0 for none.
    status: Arc<AtomicU16>,
    /// Takes so many milliseconds to answer.
    delay: Arc<AtomicU64>,
    /// The person's; [`OLD`] if it is empty.
    password: Arc<Mutex<String>>,
}

#[derive(Deserialize)]
struct Asked {
    grant_type: String,
    client_id: String,
    scope: String,
    username: String,
    password: String,
}

async fn token(State(former): State<Former>, Form(asked): Form<Asked>) -> (StatusCode, Json<Value>) {
    former.asked.fetch_add(1, Ordering::SeqCst);
    assert_eq!(
        (
            asked.grant_type.as_str(),
            asked.client_id.as_str(),
            asked.scope.as_str()
        ),
        ("password", "sekisho", "openid")
    );
    tokio::time::sleep(Duration::from_millis(former.delay.load(Ordering::SeqCst))).await;
    let status = former.status.load(Ordering::SeqCst);
    if status > 0 {
        return (StatusCode::from_u16(status).unwrap(), Json(json!({})));
    }
    let password = former.password.lock().unwrap().clone();
    let is_right = match password.as_str() {
        "" => asked.password == OLD,
        password => asked.password == password,
    };
    if asked.username == LOGIN && is_right {
        (
            StatusCode::OK,
            Json(json!({ "access_token": "x", "token_type": "Bearer" })),
        )
    } else {
        let error = json!({ "error": "access_denied", "error_description": "AADB2C90225" });
        (StatusCode::BAD_REQUEST, Json(error))
    }
}

impl Former {
    async fn start() -> (Self, TokenEndpoint) {
        let former = Self::default();
        let routes = Router::new()
            .route("/token", post(token))
            .with_state(former.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let patience = Duration::from_secs(5);
        let endpoint = TokenEndpoint::new(
            url.parse().unwrap(),
            "sekisho".to_owned(),
            "openid".to_owned(),
            patience,
        );
        (former, endpoint)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Somebody whose password stands with the former system.
async fn with_former(bench: &Bench) -> (StreamId, Former, App) {
    let (former, endpoint) = Former::start().await;
    let registration = Registration {
        password: FirstPassword::WithFormer,
        ..registration(LOGIN, ADDRESS, &hash_without_password(1))
    };
    let app = bench.app.clone().with_former(Arc::new(endpoint));
    let (account, _) = app.register(registration, ACTOR).await.unwrap();
    (account, former, app)
}

/// Its owner would be told that the password is wrong, and nobody was asked.
#[tokio::test(flavor = "multi_thread")]
async fn no_password_stands_with_a_former_system_that_is_not_there() {
    let bench = Bench::new().await;
    let registration = Registration {
        password: FirstPassword::WithFormer,
        ..registration(LOGIN, ADDRESS, &hash_without_password(1))
    };
    let refused = bench.app.register(registration, ACTOR).await;
    assert!(matches!(refused, Err(Error::FormerSystemMissing)), "{refused:?}");
}

async fn sign_in(app: &App, password: &str) -> Result<Outcome, Error> {
    app.verify_password(attempt(LOGIN, password)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signed_in_before_is_asked_about_once() {
    let bench = Bench::new().await;
    let (_, former, app) = with_former(&bench).await;
    assert!(bench.found(LOGIN).await.password.hash.is_with_former());
    let wrong = sign_in(&app, "wrong").await.unwrap();
    assert_eq!(wrong, Outcome::Denied(Denied::WrongPassword));
    let right = sign_in(&app, OLD).await.unwrap();
    assert!(matches!(right, Outcome::Accepted(_)), "{right:?}");
    assert_eq!(former.asked(), 2);
    eventually("a hash of our own", async || {
        (!bench.found(LOGIN).await.password.hash.is_with_former()).then_some(())
    })
    .await;
    // Also where nobody can be asked any more.
    for app in [&app, &bench.app] {
        let again = sign_in(app, OLD).await.unwrap();
        assert!(matches!(again, Outcome::Accepted(_)), "{again:?}");
        let wrong = sign_in(app, "wrong").await.unwrap();
        assert_eq!(wrong, Outcome::Denied(Denied::WrongPassword));
    }
    assert_eq!(former.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_system_that_says_nothing_costs_nobody_a_try() {
    let bench = Bench::new().await;
    let (account, former, app) = with_former(&bench).await;
    for status in [200, 302, 429, 500, 503] {
        former.status.store(status, Ordering::SeqCst);
        let outcome = sign_in(&app, OLD).await;
        assert!(
            matches!(outcome, Err(Error::FormerSystem)),
            "{status}: {outcome:?}"
        );
    }
    assert_eq!(bench.account(account).await.history.unknown_browsers.counted, 0);
    assert_eq!(bench.account_entries().await.len(), 1);
    // Without a former system there is nobody to ask: a reset helps.
    let outcome = sign_in(&bench.app, OLD).await.unwrap();
    assert_eq!(outcome, Outcome::Denied(Denied::WrongPassword));
}

/// What is not tried here must not be tried there.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_about_an_unknown_id_or_a_locked_account() {
    let bench = Bench::new().await;
    let (_, former, app) = with_former(&bench).await;
    let unknown = app.verify_password(attempt("04500009", OLD)).await.unwrap();
    assert_eq!(unknown, Outcome::Denied(Denied::UnknownAccount));
    assert_eq!(former.asked(), 0);
    former.delay.store(100, Ordering::SeqCst);
    let guesses = (0..60).map(|number| {
        let app = app.clone();
        async move { sign_in(&app, &format!("guess {number}")).await.map(drop) }
    });
    let guesses = futures::future::join_all(guesses).await;
    let asked = former.asked();
    // Nine that count, and eight that were asked about meanwhile. Who found no turn in time was not asked about.
    assert!((10..=17).contains(&asked), "{asked} guesses were passed on");
    assert!(
        guesses
            .iter()
            .all(|guess| guess.is_ok() || matches!(guess, Err(Error::HashingBusy)))
    );
    let locked = sign_in(&app, OLD).await.unwrap();
    assert_eq!(locked, Outcome::Denied(Denied::Locked));
    assert_eq!(former.asked(), asked);
}

/// Whoever waits for a turn in vain is told that it is busy, in time, and nobody's password is passed on after that.
#[tokio::test(flavor = "multi_thread")]
async fn a_former_system_that_hangs_holds_nobody_up_for_long() {
    let bench = Bench::new().await;
    let (_, former, app) = with_former(&bench).await;
    former.delay.store(3_000, Ordering::SeqCst);
    let guesses = (0..12).map(|number| {
        let app = app.clone();
        async move { sign_in(&app, &format!("guess {number}")).await }
    });
    let mut guesses: FuturesUnordered<_> = guesses.collect();
    let first = tokio::time::timeout(Duration::from_secs(2), guesses.next()).await;
    let first = first
        .expect("nobody waits as long as the former system does")
        .unwrap();
    assert!(matches!(first, Err(Error::HashingBusy)), "{first:?}");
    let rest: Vec<_> = guesses.collect().await;
    let busy = rest
        .iter()
        .filter(|outcome| matches!(outcome, Err(Error::HashingBusy)))
        .count();
    assert_eq!((busy, former.asked()), (3, 8), "{rest:?}");
}

/// What somebody leaked opens nothing any more, and is not set again.
#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_the_former_system_is_not_set_again_after_it_was_used_up() {
    const LEAKED: &str = "kvtqzmw phx 2026 leaked";
    let bench = Bench::new().await;
    let (account, former, app) = with_former(&bench).await;
    *former.password.lock().unwrap() = LEAKED.to_owned();
    bench.app.expire_password(LOGIN, ACTOR).await.unwrap();
    let flow = bench.reset(LOGIN).await;
    bench.verify_code(account, flow, Purpose::Reset).await;
    let change = |new: &str| PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new(new.to_owned()),
        command: entropy::bytes().into(),
        device: None,
    };
    let again = app.set_password(change(LEAKED)).await;
    assert!(
        matches!(again, Err(Error::Password(PasswordError::Unchanged))),
        "{again:?}"
    );
    former.status.store(503, Ordering::SeqCst);
    let unknown = app.set_password(change(LEAKED)).await;
    assert!(matches!(unknown, Err(Error::FormerSystem)), "{unknown:?}");
    former.status.store(0, Ordering::SeqCst);
    app.set_password(change("kvtqzmw phx another one")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_asking() {
    let bench = Bench::new().await;
    let (account, former, app) = with_former(&bench).await;
    let flow = bench.reset(LOGIN).await;
    bench.verify_code(account, flow, Purpose::Reset).await;
    let new = "a new password of more than fifteen";
    let change = PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new(new.to_owned()),
        command: entropy::bytes().into(),
        device: None,
    };
    app.set_password(change).await.unwrap();
    let old = sign_in(&app, OLD).await.unwrap();
    assert_eq!(old, Outcome::Denied(Denied::WrongPassword));
    let outcome = sign_in(&app, new).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!(former.asked(), 0);
}
