//! A login id and a password.

use std::time::Duration;

use sekisho_credentials::app::{Denied, Outcome};
use sekisho_credentials::domain::{Account, Rules, Stage};
use sekisho_eventlog::{EventId, Version};
use sekisho_evidence::{Flow, Mint, Refusal, secret_digest};
use sekisho_proto::credentials::v1::sign_in_refused::Reason;
use sekisho_proto::events::AccountEvent;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::{
    ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, SECRET, attempt, call_set_password, eventually, hash_of,
    hash_without_password, slow_hash_of,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_mints_a_flow_that_only_its_secret_opens() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let flow = bench.accepted().await;

    let minted = Flow::fold(&bench.log.flow(flow).await.unwrap()).unwrap();
    assert_eq!(minted.open_with(b"planted"), Err(Refusal::SecretWrong));
    let minted = minted.open_with(SECRET).unwrap();
    assert_eq!((minted.account, minted.mint), (account, Mint::SignIn));

    let (entry, event) = bench.newest().await;
    assert_eq!(entry.recorded.flow, Some(flow));
    assert_eq!(entry.metadata().actor, "credentials");
    let AccountEvent::PasswordAccepted(accepted) = event else {
        panic!("{event:?}")
    };
    assert_eq!(accepted.secret_digest, secret_digest(SECRET));
    assert_eq!(accepted.password_version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn full_width_digits_are_the_same_login_id_and_a_full_width_letter_is_another_password() {
    let bench = Bench::new().await;
    bench.register().await;
    let outcome = bench.sign_in("\u{3000}０４５００００１", PASSWORD).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    let outcome = bench.sign_in(LOGIN, &PASSWORD.replacen('g', "ｇ", 1)).await;
    assert_eq!(outcome, Outcome::Denied(Denied::WrongPassword));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_typed_costs_one_hash_and_leaves_one_event() {
    let bench = Bench::new().await;
    bench.register().await;
    bench
        .register_as("04500002", ADDRESS, &hash_of(PASSWORD, 19_456))
        .await;
    bench.app.disable("04500002", ACTOR).await.unwrap();
    let long = "a".repeat(129);
    let cases = [
        (LOGIN, PASSWORD, None),
        (LOGIN, "wrong", Some(Denied::WrongPassword)),
        (LOGIN, "", Some(Denied::WrongPassword)),
        (LOGIN, &long, Some(Denied::WrongPassword)),
        ("04500002", PASSWORD, Some(Denied::Disabled)),
        ("04500002", "wrong", Some(Denied::WrongPassword)),
        ("04500009", PASSWORD, Some(Denied::UnknownAccount)),
        (&long, PASSWORD, Some(Denied::UnknownAccount)),
        ("", PASSWORD, Some(Denied::UnknownAccount)),
        ("0450\u{0}0001", PASSWORD, Some(Denied::UnknownAccount)),
    ];
    for (login, password, expected) in cases {
        let computed = bench.app.pool().computed();
        let entries = bench.account_entries().await.len();
        let outcome = bench.sign_in(login, password).await;
        match (outcome, expected) {
            (Outcome::Accepted(_), None) => {}
            (Outcome::Denied(denied), Some(expected)) => assert_eq!(denied, expected, "{login:?}"),
            (outcome, _) => panic!("{login:?}: {outcome:?}"),
        }
        assert_eq!(bench.app.pool().computed(), computed + 1, "{login:?}");
        assert_eq!(bench.account_entries().await.len(), entries + 1, "{login:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_attempts_on_an_unknown_login_id_are_counted_on_one_phantom() {
    let bench = Bench::new().await;
    for typed in ["04500009", "０４５００００９", " 04500009\u{3000}"] {
        assert_eq!(
            bench.sign_in(typed, PASSWORD).await,
            Outcome::Denied(Denied::UnknownAccount)
        );
    }
    bench.sign_in("04500008", PASSWORD).await;

    let phantom = bench.app.phantoms().stream("04500009");
    let loaded = bench.log.load::<Account>(phantom).await.unwrap();
    assert_eq!(loaded.version, Version(3));
    assert_eq!(loaded.state.stage, Stage::Unregistered);
    let failures = loaded.state.history.unknown_browsers;
    assert_eq!((failures.counted, failures.repeated), (1, 2));
    assert_eq!(phantom.0.get_version_num(), 8);
}

/// C-27; whether they are told apart: `tests/flows/denials.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn a_denial_takes_the_agreed_time_whatever_it_is_for() {
    const TIME: Duration = Duration::from_millis(700);
    let bench = Bench::with_rules(Rules {
        denial_time: TIME,
        ..Rules::default()
    })
    .await;
    bench.register().await;
    let (disabled, locked) = ("04500002", "04500003");
    for login in [disabled, locked] {
        bench.register_as(login, ADDRESS, &hash_of(PASSWORD, 64)).await;
    }
    bench.app.disable(disabled, ACTOR).await.unwrap();
    let guesses = (0..10).map(|number| {
        let app = bench.app.clone();
        async move {
            app.verify_password(attempt(locked, &format!("wrong {number}")))
                .await
        }
    });
    futures::future::join_all(guesses).await;
    for (login, password, expected) in [
        ("04500009", "x", Denied::UnknownAccount),
        (LOGIN, "wrong", Denied::WrongPassword),
        ("", "", Denied::UnknownAccount),
        (disabled, PASSWORD, Denied::Disabled),
        (locked, PASSWORD, Denied::Locked),
    ] {
        let begun = Instant::now();
        assert_eq!(bench.sign_in(login, password).await, Outcome::Denied(expected));
        assert!(begun.elapsed() >= TIME, "{login}");
    }
    for login in [LOGIN, "04500009"] {
        let begun = Instant::now();
        bench.reset(login).await;
        assert!(begun.elapsed() >= TIME, "{login}");
    }
}

/// C-2: all of it, and not only what some hash reads.
#[tokio::test(flavor = "multi_thread")]
async fn of_128_characters_the_last_one_counts() {
    let bench = Bench::new().await;
    let long = "漢".repeat(127);
    let [right, wrong] = ["字", "宇"].map(|last| format!("{long}{last}"));
    bench.register_as(LOGIN, ADDRESS, &hash_of(&right, 19_456)).await;
    assert_eq!(
        bench.sign_in(LOGIN, &wrong).await,
        Outcome::Denied(Denied::WrongPassword)
    );
    let outcome = bench.sign_in(LOGIN, &right).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_knows_the_password_learns_that_the_account_is_disabled() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.app.disable(LOGIN, ACTOR).await.unwrap();
    assert_eq!(
        bench.sign_in(LOGIN, "wrong").await,
        Outcome::Denied(Denied::WrongPassword)
    );
    assert_eq!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Denied(Denied::Disabled)
    );
    let (_, event) = bench.newest().await;
    let AccountEvent::SignInRefused(refused) = event else {
        panic!("{event:?}")
    };
    assert_eq!(refused.reason(), Reason::Disabled);
    bench.app.enable(LOGIN, ACTOR).await.unwrap();
    bench.accepted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_without_an_address_mints_no_flow() {
    let bench = Bench::new().await;
    bench.register_as(LOGIN, "", &hash_of(PASSWORD, 19_456)).await;
    assert_eq!(
        bench.sign_in(LOGIN, "wrong").await,
        Outcome::Denied(Denied::WrongPassword)
    );
    assert_eq!(
        bench.sign_in(LOGIN, PASSWORD).await,
        Outcome::Denied(Denied::NoEmail)
    );
    let (entry, event) = bench.newest().await;
    let AccountEvent::PasswordAccepted(accepted) = event else {
        panic!("{event:?}")
    };
    assert_eq!((entry.recorded.flow, accepted.secret_digest), (None, Vec::new()));
}

/// The comparison takes seconds, the change of the password milliseconds: so the verdict comes too late.
#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_about_a_password_that_was_set_anew_meanwhile_is_compared_again() {
    let bench = Bench::new().await;
    let account = bench.register_as(LOGIN, ADDRESS, &slow_hash_of(PASSWORD)).await;

    let app = bench.app.clone();
    let signing_in = tokio::spawn(async move { app.verify_password(attempt(LOGIN, PASSWORD)).await });
    eventually("the comparison to begin", async || {
        (bench.app.pool().computed() == 1).then_some(())
    })
    .await;

    let mut other = PgConnection::connect(&bench.database.url("credentials"))
        .await
        .unwrap();
    let event_id = EventId(Uuid::from_u128(1));
    let set = call_set_password(account, Version(1), event_id, &hash_without_password(1));
    other.execute(sqlx::raw_sql(AssertSqlSafe(set))).await.unwrap();

    let outcome = signing_in.await.unwrap().unwrap();
    assert_eq!(outcome, Outcome::Denied(Denied::WrongPassword));
    assert_eq!(bench.app.pool().computed(), 2);
    let (_, event) = bench.newest().await;
    let AccountEvent::PasswordRejected(rejected) = event else {
        panic!("{event:?}")
    };
    assert_eq!(rejected.password_version, 2);
}

/// C-4.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_ones_own_never_grows_old() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.shift_clock("clock_timestamp() + interval '2 years'").await;
    bench.accepted().await;
}
