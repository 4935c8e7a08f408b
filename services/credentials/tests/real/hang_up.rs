//! Whoever hangs up in the middle.

use std::time::Duration;

use sekisho_proto::events::AccountEvent;

use crate::support::{Bench, LOGIN, PASSWORD, attempt, eventually};

/// Else somebody could have passwords hashed for nothing, and none of them would count.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_begun_to_be_compared_is_recorded_though_nobody_waits_for_it() {
    let bench = Bench::new().await;
    bench.register().await;
    for (number, password) in ["wrong 1", "wrong 2", PASSWORD].into_iter().enumerate() {
        let app = bench.app.clone();
        let waiting = tokio::spawn(async move { app.verify_password(attempt(LOGIN, password)).await });
        eventually("the comparison to begin", async || {
            (bench.app.pool().computed() > u64::try_from(number).unwrap()).then_some(())
        })
        .await;
        waiting.abort();
        eventually("the event of it", async || {
            (bench.account_entries().await.len() == number + 2).then_some(())
        })
        .await;
    }
    let events: Vec<_> = bench.account_entries().await;
    let last: AccountEvent = events.last().unwrap().event().unwrap();
    assert!(matches!(last, AccountEvent::PasswordAccepted(_)), "{last:?}");
}

/// Before anything was begun nothing is recorded either.
#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_while_the_pool_is_full_leaves_nothing() {
    let bench = Bench::with_pool(crate::support::pool_of(1, 0)).await;
    bench.register().await;
    let slow = crate::support::slow_hash_of(PASSWORD);
    let pool = bench.app.pool().clone();
    let busy = tokio::spawn(async move {
        pool.compare(sekisho_credentials::domain::TypedPassword::Hopeless, slow)
            .await
    });
    eventually("the pool to be full", async || {
        (bench.app.pool().free_places() == 0).then_some(())
    })
    .await;
    let refused = bench.app.verify_password(attempt(LOGIN, "wrong")).await;
    assert!(refused.is_err(), "{refused:?}");
    busy.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(bench.account_entries().await.len(), 1);
}
