//! Proof of rebuild.

use sekisho_sessions::app::{Error, Started};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::support::{Replica, World};

/// Three sessions: one open, one ended, one cut.
async fn three(world: &World, replica: &Replica) -> [Started; 3] {
    let mut all = Vec::new();
    for _ in 0..3 {
        let flow = world.verified(world.account()).await;
        all.push((flow.account, replica.start(&flow).await.unwrap()));
    }
    replica.sessions.end(all[1].1.token.expose()).await.unwrap();
    replica.sessions.cut(all[2].0, "test").await.unwrap();
    let started: Vec<_> = all.into_iter().map(|(_, started)| started).collect();
    started.try_into().unwrap()
}

#[tokio::test]
async fn a_replica_answers_from_what_the_log_says() {
    let world = World::new().await;
    let replica = world.replica().await;
    three(&world, &replica).await;
    let mut way = Vec::new();
    let verified = replica
        .sessions
        .verify(|position, head| way.push((position, head)))
        .await
        .unwrap();
    assert!(verified.agrees(), "{verified:?}");
    assert!(verified.differing.is_empty());
    assert_eq!(verified.sessions, 3);
    assert_eq!(way.last().map(|(position, _)| *position), Some(verified.position));

    let other = world.replica().await;
    let again = other.sessions.verify(|_, _| ()).await.unwrap();
    assert_eq!(
        (again.position, again.digest),
        (verified.position, verified.digest)
    );
}

#[tokio::test]
async fn a_session_of_which_the_log_says_something_else_is_named() {
    let world = World::new().await;
    let replica = world.replica().await;
    let [open, ..] = three(&world, &replica).await;
    world
        .database
        .sql(&format!(
            "update log.entry set recorded_at = recorded_at - interval '1 s' where position = {};",
            open.position
        ))
        .unwrap();
    let verified = replica.sessions.verify(|_, _| ()).await.unwrap();
    assert!(!verified.agrees());
    assert_eq!(verified.differing, [open.session]);
}

#[tokio::test]
async fn one_verification_runs_at_a_time() {
    let world = World::new().await;
    let replica = world.replica().await;
    three(&world, &replica).await;
    // Who reads the log now waits.
    let mut lock = PgConnection::connect(&world.database.url("postgres"))
        .await
        .unwrap();
    lock.execute("begin; lock table log.entry in access exclusive mode;")
        .await
        .unwrap();
    let first = tokio::spawn({
        let sessions = replica.sessions.clone();
        async move { sessions.verify(|_, _| ()).await }
    });
    // On one thread: it runs until it waits.
    tokio::task::yield_now().await;
    assert_eq!(replica.sessions.verify(|_, _| ()).await, Err(Error::Busy));
    lock.execute("rollback;").await.unwrap();
    drop(first.await.unwrap());
    let again = replica.sessions.verify(|_, _| ()).await;
    assert!(again.unwrap().agrees());
}

#[tokio::test]
async fn a_verification_misses_nothing_that_was_committed_before_it() {
    let world = World::new().await;
    let replica = world.replica().await;
    replica.stop_folding();
    world.change_password(world.account()).await;
    let verified = replica.sessions.verify(|_, _| ()).await;
    assert_eq!(verified, Err(Error::Unconfirmed));
}
