//! What has had its time.

use sekisho_credentials::app::Outcome;
use sekisho_credentials::domain::Address;
use sekisho_credentials::hashing::Pepper;
use sekisho_credentials::sealing::PersonalKey;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, attempt, ring, ring_of};

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_days_and_former_addresses_are_forgotten_in_a_round() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.accepted().await;
    let to = Address::try_from("new@example.com").unwrap();
    bench.app.change_address(LOGIN, Some(to), ACTOR).await.unwrap();
    let kept = || {
        let count = |table: &str| bench.sql(&format!("select count(*) from credentials.{table};"));
        [count("day_key"), count("former_address")]
    };
    bench.app.tidy_once().await;
    assert_eq!(kept(), ["1", "1"]);
    bench.shift_clock("clock_timestamp() + interval '3 days'").await;
    bench.app.tidy_once().await;
    assert_eq!(kept(), ["0", "0"]);
}

/// A line is added on top of both files; after a round the old one may go. Nobody has to sign in for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_an_old_key_is_sealed_anew_and_the_key_may_go() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.accepted().await;
    let both = bench
        .with_keys(
            ring_of(&[("2026-04", 21), ("2026-03", 1)]),
            Pepper::new(ring_of(&[("2026-04", 23), ("2026-03", 3)])),
        )
        .await;
    both.tidy_once().await;
    let used = "select pepper_id from credentials.password union all select master_id from credentials.personal_key;";
    assert_eq!(
        bench.sql(used).split_whitespace().collect::<Vec<_>>(),
        ["2026-04", "2026-04"]
    );

    let masters = ring("2026-04", 21);
    // The key of the day hangs on the old line until its day is over.
    bench.shift_clock("clock_timestamp() + interval '3 days'").await;
    let new = bench
        .with_keys(masters.clone(), Pepper::new(ring("2026-04", 23)))
        .await;
    new.tidy_once().await;
    let outcome = new.verify_password(attempt(LOGIN, PASSWORD)).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    let wrapped = bench.found(LOGIN).await.key;
    assert!(PersonalKey::unwrap(&masters, account, &wrapped).is_ok());
}

/// Else a restart with the old file first would do the work backwards for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_under_the_keys_of_today_stays_as_it_is() {
    let bench = Bench::new().await;
    bench
        .register_as(LOGIN, ADDRESS, &crate::support::hash_of(PASSWORD, 19_456))
        .await;
    let before = crate::support::dump(&bench);
    bench.app.tidy_once().await;
    assert_eq!(crate::support::dump(&bench), before);
}
