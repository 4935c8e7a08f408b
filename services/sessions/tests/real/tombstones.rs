//! Ends that replicas tell each other over the bus.

use std::time::Duration;

use sekisho_dev::{Nats, Postgres, Schema};
use sekisho_eventlog::LogFault;
use sekisho_proto::events::SessionEvent;
use sekisho_sessions::app::{Ended, Error};
use sekisho_sessions::domain::Why;
use tokio::time::{Instant, timeout};

use crate::support::{Replica, World, client, eventually, keys, logs};

/// Where replicas tell each other.
const SUBJECT: &str = "signin.session.tombstone";

/// A world whose PostgreSQL may be stopped, a bus, and two replicas that are on it.
async fn two() -> (Postgres, Nats, World, [Replica; 2]) {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let nats = Nats::start().unwrap();
    let world = World::on(&postgres).await;
    let url = world.database.url("sessions");
    let one = world.replica_at(&url, Some(client(&nats).await)).await;
    let other = world.replica_at(&url, Some(client(&nats).await)).await;
    (postgres, nats, world, [one, other])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_postgresql_away_a_sign_out_is_refused_by_every_replica_and_recorded_once_later() {
    let (postgres, _nats, world, [one, other]) = two().await;
    let flow = world.verified(world.account()).await;
    let token = one.start(&flow).await.unwrap().token;
    eventually("the other replica to know the session", async || {
        other.sessions.check(token.expose()).await.ok()
    })
    .await;
    postgres.stop().unwrap();
    let begun = Instant::now();
    assert_eq!(one.sessions.end(token.expose()).await, Ok(Ended::Unrecorded));
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "the caller has given up"
    );
    let over = Err(Error::Over(Why::SignedOut));
    assert_eq!(one.sessions.check(token.expose()).await, over);
    let told = eventually("the other replica to hear", async || {
        (other.sessions.check(token.expose()).await == over).then_some(())
    });
    timeout(Duration::from_secs(2), told).await.unwrap();
    assert_eq!(other.sessions.end(token.expose()).await, Ok(Ended::Nothing));

    postgres.restart().unwrap();
    for replica in [&one, &other] {
        eventually("a sweep", async || replica.sessions.sweep_once().await.ok()).await;
    }
    let events = world.session_events(flow.account).await;
    let ended = events
        .iter()
        .filter(|(_, event)| matches!(event, SessionEvent::SessionEnded(_)));
    assert_eq!(ended.count(), 1);
    assert_eq!(one.sessions.check(token.expose()).await, over);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_records_the_sign_outs_that_it_can_and_says_how_many_it_cannot() {
    let (postgres, _nats, world, [one, _]) = two().await;
    let flow = world.verified(world.account()).await;
    let token = one.start(&flow).await.unwrap().token;
    postgres.stop().unwrap();
    assert_eq!(one.sessions.end(token.expose()).await, Ok(Ended::Unrecorded));
    one.sessions.hand_over().await;
    let said = logs::of_this_thread();
    let alarm = |line: &str| line.contains("ERROR") && line.contains("sign_outs=1");
    assert!(said.lines().any(alarm), "{said}");

    postgres.restart().unwrap();
    eventually("the log", async || one.log.confirm_head().await.ok()).await;
    logs::forget();
    one.sessions.hand_over().await;
    let events = world.session_events(flow.account).await;
    let ended = events
        .iter()
        .filter(|(_, event)| matches!(event, SessionEvent::SessionEnded(_)));
    assert_eq!(ended.count(), 1);
    assert!(!logs::of_this_thread().contains("sign_outs"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgresql_and_the_bus_a_sign_out_fails_and_the_session_lives_on() {
    let (postgres, nats, world, [one, _]) = two().await;
    let flow = world.verified(world.account()).await;
    let token = one.start(&flow).await.unwrap().token;
    postgres.stop().unwrap();
    drop(nats);
    let failed = eventually("the bus to be gone", async || {
        let answer = one.sessions.end(token.expose()).await;
        (answer != Ok(Ended::Unrecorded)).then_some(answer)
    });
    assert_eq!(failed.await, Err(Error::Log(LogFault::Unavailable)));
    postgres.restart().unwrap();
    eventually("the session to be confirmed", async || {
        one.sessions.check(token.expose()).await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_cut_off_from_the_log_hears_of_sign_outs_and_cuts() {
    let (_postgres, nats, world, [one, _]) = two().await;
    let (url, wire) = crate::wire::wire_to(&world.database).await;
    let blind = world.replica_at(&url, Some(client(&nats).await)).await;
    let (first, second, third) = (world.account(), world.account(), world.account());
    let signed_out = one.start(&world.verified(first).await).await.unwrap().token;
    let cut = one.start(&world.verified(second).await).await.unwrap().token;
    let elsewhere = one.start(&world.verified(third).await).await.unwrap().token;
    let own = one.start(&world.verified(third).await).await.unwrap().token;
    for token in [&signed_out, &cut, &elsewhere] {
        eventually("the session to be known", async || {
            blind.sessions.check(token.expose()).await.ok()
        })
        .await;
    }
    drop(wire);
    world.change_password(world.account()).await;
    one.sessions.end(signed_out.expose()).await.unwrap();
    one.sessions.cut(second, "test").await.unwrap();
    assert_eq!(one.sessions.end_others(own.expose()).await, Ok(1));
    for (token, why) in [
        (signed_out, Why::SignedOut),
        (cut, Why::Cut),
        (elsewhere, Why::Revoked),
    ] {
        let over = Err(Error::Over(why));
        eventually("the blind replica to hear", async || {
            (blind.sessions.check(token.expose()).await == over).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tombstone_that_no_replica_has_sealed_ends_nothing() {
    let (_postgres, nats, world, [one, other]) = two().await;
    let flow = world.verified(world.account()).await;
    let started = one.start(&flow).await.unwrap();
    let bus = client(&nats).await;
    let told = sekisho_sessions::domain::Told {
        account: flow.account,
        session: started.session,
        flow: flow.id,
        why: Why::SignedOut,
    };
    let forged = keys(8).seal(sekisho_sessions::domain::Tombstone::Session(told));
    for message in [forged, b"nonsense".to_vec(), Vec::new()] {
        bus.publish(SUBJECT, message.into()).await.unwrap();
    }
    // Whoever has heard of a true one has heard of those before it.
    let last = one.start(&world.verified(world.account()).await).await.unwrap();
    one.sessions.end(last.token.expose()).await.unwrap();
    eventually("the last one to be over", async || {
        (other.sessions.check(last.token.expose()).await == Err(Error::Over(Why::SignedOut))).then_some(())
    })
    .await;
    other.checked(started.token.expose()).await;
}
