//! Mails that keep failing for a reason that time does not mend.

use std::time::Duration;

use sekisho_eventlog::{Parked, Position};
use tokio::time::Instant;

use crate::support::{Flow, Mailbox, Relay, Replica, World, until};

async fn parked(replica: &Replica) -> Vec<Parked> {
    replica.log.parked().await.unwrap()
}

async fn until_parked(replica: &Replica) {
    until("the mail to be parked", async || {
        !parked(replica).await.is_empty()
    })
    .await;
}

/// A code whose account holds an event of a version to come, so that nobody can claim its mail.
async fn stuck(world: &World, issuing: &Replica) -> Flow {
    let flow = world.sign_in().await;
    // Nobody works here, so its fate stays open.
    issuing.issue(&flow).await.unwrap();
    flow.spoil(&issuing.log).await;
    flow
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_stuck_is_parked_after_five_tries_and_holds_up_no_other() {
    let world = World::new().await;
    let issuing = Replica::new(&world, "otp/a").await;
    stuck(&world, &issuing).await;
    let relay = Relay::start().await;
    let working = Replica::new(&world, "otp/b")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    let begun = Instant::now();
    let other = world.sign_in().await;
    working.issue(&other).await.unwrap();
    relay.until_letters(1).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    until_parked(&working).await;
    let [laid_aside] = parked(&working).await.try_into().unwrap();
    assert_eq!((laid_aside.work.as_str(), laid_aside.attempts), ("mail", 5));
    assert_eq!(
        (laid_aside.reason.as_str(), laid_aside.replay),
        ("LOG_MISMATCH", false)
    );
    assert_eq!(laid_aside.role, "sekisho_otp");
    // And is left alone, also by a worker that begins now, though it could be sent by now.
    let later = Replica::new(&world, "otp/c")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    world.update_understands_everything();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(relay.letters().len(), 1);
    assert_eq!(parked(&later).await, [laid_aside]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_has_tried_again_is_done_and_leaves_the_list() {
    let world = World::new().await;
    let issuing = Replica::new(&world, "otp/a").await;
    stuck(&world, &issuing).await;
    let relay = Relay::start().await;
    let working = Replica::new(&world, "otp/b")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    until_parked(&working).await;
    let id = parked(&working).await[0].id;

    // Nothing has changed: it comes back.
    let operator = world.operator().await;
    assert!(operator.replay_parked(id).await.unwrap());
    until("another try", async || parked(&working).await[0].replay).await;
    until("it to fail again", async || !parked(&working).await[0].replay).await;
    assert!(relay.letters().is_empty());

    world.update_understands_everything();
    assert!(
        operator
            .replay_parked(parked(&working).await[0].id)
            .await
            .unwrap()
    );
    relay.until_letters(1).await;
    until("the list to be empty", async || parked(&working).await.is_empty()).await;
    assert!(!operator.replay_parked(id).await.unwrap());
}

/// Before it is caught up, a worker owes nothing that it knows of; what an operator wants is not taken for done then.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_has_tried_again_stays_on_the_list_while_workers_start() {
    let world = World::new().await;
    let issuing = Replica::new(&world, "otp/a").await;
    stuck(&world, &issuing).await;
    let relay = Relay::start().await;
    let first = Replica::new(&world, "otp/b")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    until_parked(&issuing).await;
    first.die().await;
    let id = parked(&issuing).await[0].id;
    assert!(world.operator().await.replay_parked(id).await.unwrap());
    let _second = Replica::new(&world, "otp/c")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    until("it to fail again", async || {
        parked(&issuing).await.first().is_none_or(|parked| !parked.replay)
    })
    .await;
    assert_eq!(
        parked(&issuing).await[0].id,
        id,
        "it was taken for done meanwhile"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_drops_what_will_never_be_done_and_nobody_else_may() {
    let world = World::new().await;
    let otp = Replica::new(&world, "otp/a").await;
    assert!(otp.log.park("mail", otp.log.head(), 5, "PANIC").await.unwrap());
    let id = parked(&otp).await[0].id;
    assert!(otp.log.drop_parked(id).await.is_err());
    assert!(otp.log.replay_parked(id).await.is_err());
    // Nor is it another role's to take up.
    world.credentials.unpark("mail", otp.log.head()).await.unwrap();
    assert_eq!(parked(&otp).await.len(), 1);
    assert!(world.operator().await.drop_parked(id).await.unwrap());
    assert!(parked(&otp).await.is_empty());
}

/// Also under the name of our own work.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_role_parks_stops_no_mail() {
    let world = World::new().await;
    let next = Position(world.credentials.head().0 + 1);
    for position in next.0..next.0 + 20 {
        assert!(
            world
                .credentials
                .park("mail", Position(position), 5, "PANIC")
                .await
                .unwrap()
        );
    }
    let relay = Relay::start().await;
    let working = Replica::new(&world, "otp/a")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    working.issue(&world.sign_in().await).await.unwrap();
    relay.until_letters(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_is_bounded() {
    let world = World::new().await;
    let otp = Replica::new(&world, "otp/a").await;
    world.park_many(10_000);
    assert!(!otp.log.park("mail", otp.log.head(), 5, "PANIC").await.unwrap());
    // What is parked already has its place.
    assert!(otp.log.park("mail", Position(1_001), 5, "PANIC").await.unwrap());
    world.a_month_passes_for_the_parked();
    assert!(otp.log.park("mail", otp.log.head(), 5, "PANIC").await.unwrap());
    assert_eq!(parked(&otp).await.len(), 1);
}
