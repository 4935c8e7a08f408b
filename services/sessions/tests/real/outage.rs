//! PostgreSQL goes away and comes back.

use std::time::Duration;

use sekisho_dev::{Postgres, Schema};
use sekisho_eventlog::LogFault;
use sekisho_sessions::app::Failure;
use sekisho_sessions::domain::Why;
use tokio::time::Instant;

use crate::support::{World, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_log_nobody_is_called_signed_out_and_the_dead_stay_dead() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let replica = world.replica().await;
    let alive = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let over = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let flow = world.verified(world.account()).await;
    replica.sessions.end(over.token.expose()).await.unwrap();
    let signed_out = Err(Failure::Over(Why::SignedOut));
    assert_eq!(replica.sessions.check(over.token.expose()).await, signed_out);

    postgres.kill().unwrap();
    eventually("the head to be older than a second", async || {
        (replica.log.head_age() > Duration::from_secs(1)).then_some(())
    })
    .await;
    let begun = Instant::now();
    assert_eq!(
        replica.sessions.check(alive.token.expose()).await,
        Err(Failure::Unconfirmed)
    );
    assert_eq!(
        replica.sessions.check(b"unknown").await,
        Err(Failure::Unconfirmed)
    );
    assert_eq!(replica.sessions.end(b"unknown").await, Err(Failure::Unconfirmed));
    assert_eq!(replica.sessions.check(over.token.expose()).await, signed_out);
    assert!(begun.elapsed() < Duration::from_secs(6), "each within 2 s");
    assert_eq!(
        replica.start(&flow).await.unwrap_err(),
        Failure::Log(LogFault::Unavailable)
    );

    postgres.restart().unwrap();
    eventually("the session to be known again", async || {
        replica.sessions.check(alive.token.expose()).await.ok()
    })
    .await;
    replica.start(&flow).await.unwrap();
}
