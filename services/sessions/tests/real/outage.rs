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

/// What one replica saw before the log went away it could not record. When the log is back and the clock past the recorded
/// deadline, the other replica must not be the first to speak.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_a_session_is_not_idle_before_every_replica_could_speak() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let (busy, blind) = (world.replica().await, world.replica().await);
    let started = busy.start(&world.verified(world.account()).await).await.unwrap();
    let token = started.token.expose();
    let begin = blind.sessions.check(token).await.unwrap().started_at;
    let replicas = [&busy, &blind];
    world
        .stop_clock(begin + time::Duration::minutes(9), &replicas)
        .await;
    busy.sessions.check(token).await.unwrap();
    // The keeper of the blind replica notices the outage; that of the busy one is late.
    let sessions = blind.sessions.clone();
    let keeper = tokio::spawn(async move { match sessions.keep_activity().await {} });

    postgres.kill().unwrap();
    eventually("an outage", async || {
        (blind.log.head_age() > Duration::from_secs(6)).then_some(())
    })
    .await;
    postgres.restart().unwrap();
    eventually("the log to be read again", async || {
        blind.log.confirm_head().await.ok()
    })
    .await;
    eventually("the clock to be set", async || {
        world.credentials.confirm_head().await.ok()
    })
    .await;
    eventually("the other clock", async || world.otp.confirm_head().await.ok()).await;
    eventually("the busy replica", async || busy.log.confirm_head().await.ok()).await;
    world
        .stop_clock(begin + time::Duration::minutes(31), &replicas)
        .await;
    assert_eq!(blind.sessions.check(token).await, Err(Failure::Unconfirmed));
    assert_eq!(blind.sessions.sweep_once().await, Ok(0));
    busy.sessions.hand_over_activity().await;
    let live = blind.sessions.check(token).await.unwrap().live;
    assert!(live.idle >= begin + time::Duration::minutes(39));
    keeper.abort();
}

/// A drain has only so much time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_log_a_drain_does_not_wait_for_each_session() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let replica = world.replica().await;
    // More than three times as many as are recorded at once.
    for _ in 0..200 {
        let started = replica
            .start(&world.verified(world.account()).await)
            .await
            .unwrap();
        replica.sessions.check(started.token.expose()).await.unwrap();
    }
    postgres.kill().unwrap();
    let begun = Instant::now();
    replica.sessions.hand_over_activity().await;
    // One patience of 2 s, and not four.
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}
