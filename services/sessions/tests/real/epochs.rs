//! An epoch, and a log that took the place of another.
//!
//! On more than one thread: the copy is put in place by a call that blocks, and PostgreSQL drops a database only when every
//! connection that is being made has been made or has failed.

use sekisho_eventlog::{LogFault, Position};
use sekisho_evidence::Refusal;
use sekisho_sessions::app::Error;
use sekisho_sessions::domain::Why;

use crate::support::{Replica, World, eventually};

/// Waits until a replica answers something of a token.
async fn answers(replica: &Replica, token: &[u8], expected: Error) {
    eventually(&format!("{expected}"), async || {
        let answer = replica.sessions.check(token).await;
        (answer == Err(expected)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_ends_every_session_and_every_flow() {
    let world = World::new().await;
    let replica = world.replica().await;
    let signed_in = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let on_the_way = world.verified(world.account()).await;
    world.start_epoch().await;
    answers(&replica, signed_in.token.expose(), Error::Over(Why::Cut)).await;
    let refused = replica.start(&on_the_way).await;
    assert_eq!(refused.unwrap_err(), Error::Flow(Refusal::Cut));

    let anew = world.verified(on_the_way.account).await;
    let started = replica.start(&anew).await.unwrap();
    replica.checked(started.token.expose()).await;
    assert!(replica.sessions.agrees_with(&world.replica().await.sessions));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_and_an_epoch_at_once_leave_no_live_session() {
    let world = World::new().await;
    let replica = world.replica().await;
    for _ in 0..20 {
        let flow = world.verified(world.account()).await;
        let (started, _) = tokio::join!(replica.start(&flow), world.start_epoch());
        match started {
            Ok(started) => answers(&replica, started.token.expose(), Error::Over(Why::Cut)).await,
            Err(refused) => {
                let reasons = [Error::Flow(Refusal::Cut), Error::Log(LogFault::WentBack)];
                assert!(reasons.contains(&refused), "{refused:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_begins_anew_with_the_log_that_took_the_place_of_its_own() {
    let world = World::new().await;
    let replica = world.replica().await;
    let kept = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    world.database.back_up().unwrap();
    let lost = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    world.database.restore().unwrap();
    for token in [&kept.token, &lost.token] {
        answers(&replica, token.expose(), Error::Log(LogFault::WentBack)).await;
    }

    let epoch = world.start_epoch().await;
    assert!(epoch < lost.position.max(Position(1)));
    answers(&replica, kept.token.expose(), Error::Over(Why::Cut)).await;
    answers(&replica, lost.token.expose(), Error::Unknown).await;
    let other = world.replica().await;
    assert!(replica.sessions.agrees_with(&other.sessions));
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    other.checked(started.token.expose()).await;
}

/// The moment between the news of an epoch and the end of the old fold, drawn out: this replica folds nothing any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_folded_of_a_log_that_was_given_up_answers_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let kept = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    world.database.back_up().unwrap();
    // Longer than the log that takes its place is after an epoch and another start.
    replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let lost = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    replica.stop_folding();
    world.database.restore().unwrap();
    world.start_epoch().await;
    for token in [&kept.token, &lost.token] {
        eventually("no answer", async || {
            match replica.sessions.check(token.expose()).await {
                Err(Error::Unconfirmed) => Some(()),
                Err(Error::Log(LogFault::WentBack)) => None,
                answer => panic!("{answer:?}"),
            }
        })
        .await;
    }
    let started = replica.start(&world.verified(world.account()).await).await;
    assert_eq!(started.unwrap_err(), Error::Log(LogFault::Unavailable));
    assert!(world.otp.confirm_head().await.unwrap() < lost.position);
    while world.otp.confirm_head().await.unwrap() <= lost.position {
        world.verified(world.account()).await;
    }
    let snapshot = replica.sessions.take_snapshot().await;
    assert_eq!(snapshot, Err(Error::Internal), "it is sealed to the wrong log");
    let verified = replica.sessions.verify(|_, _| ()).await;
    assert_eq!(
        verified.map(|verified| verified.position),
        Err(Error::Unconfirmed)
    );
}
