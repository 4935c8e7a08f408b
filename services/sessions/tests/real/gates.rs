//! What opens a session, and what does not.

use sekisho_evidence::Refusal;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::events::SessionEvent;
use sekisho_proto::otp::v1::{FlowCancelled, Purpose};
use sekisho_service::settings::Secret;
use sekisho_sessions::app::Error;
use time::Duration;

use crate::support::{Flow, World, append};

fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, refusal: Refusal) {
    assert_eq!(answer.unwrap_err(), Error::Flow(refusal));
}

#[tokio::test]
async fn evidence_opens_a_session_and_the_log_names_it() {
    let world = World::new().await;
    let replica = world.replica().await;
    let flow = world.verified(world.account()).await;
    let started = replica.start(&flow).await.unwrap();
    let checked = replica.checked(started.token.expose()).await;
    assert_eq!(
        (checked.session, checked.account),
        (started.session, flow.account)
    );

    let events = world.session_events(flow.account).await;
    let [(entry, SessionEvent::SessionStarted(event))] = events.as_slice() else {
        panic!("{events:?}");
    };
    let positions: Vec<u64> = world
        .otp
        .flow(flow.id)
        .await
        .unwrap()
        .iter()
        .map(|e| e.recorded.position.0)
        .collect();
    assert_eq!(event.evidence, positions[..2]);
    assert_eq!(event.minted, positions[0]);
    assert_eq!(entry.recorded.position, started.position);
    assert_eq!(event.token_digest, started.token.digest().0);
    assert_eq!(entry.metadata().actor, "sessions");
    assert_ne!(event.token_digest, started.token.expose());
}

#[tokio::test]
async fn a_start_without_evidence_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    let nowhere = Flow {
        id: sekisho_eventlog::FlowId::mint(replica.log.head()),
        secret: Secret::new(vec![7; 32]),
        account,
    };
    refused(replica.start(&nowhere).await, Refusal::Unknown);

    let password_only = world.password_accepted(account).await;
    refused(replica.start(&password_only).await, Refusal::Missing);

    let code_only = Flow {
        id: sekisho_eventlog::FlowId::mint(replica.log.head()),
        ..nowhere
    };
    world.accept_code(&code_only, account, Purpose::SignIn).await;
    refused(replica.start(&code_only).await, Refusal::Mixed);
    assert!(world.session_events(account).await.is_empty());
}

#[tokio::test]
async fn a_code_of_another_account_opens_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let flow = world.password_accepted(world.account()).await;
    world.accept_code(&flow, world.account(), Purpose::SignIn).await;
    refused(replica.start(&flow).await, Refusal::Mixed);
}

#[tokio::test]
async fn a_flow_of_two_accounts_opens_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (first, second) = (world.account(), world.account());
    let flow = world.password_accepted(first).await;
    world.accept_password(&flow, second).await;
    for account in [first, second] {
        world.accept_code(&flow, account, Purpose::SignIn).await;
    }
    refused(replica.start(&flow).await, Refusal::Mixed);
    assert!(world.session_events(first).await.is_empty());
    assert!(world.session_events(second).await.is_empty());
}

#[tokio::test]
async fn a_code_for_another_purpose_opens_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    let flow = world.password_accepted(account).await;
    world.accept_code(&flow, account, Purpose::Reset).await;
    refused(replica.start(&flow).await, Refusal::Mixed);
}

#[tokio::test]
async fn a_flow_without_its_secret_opens_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let flow = world.verified(world.account()).await;
    let stolen = Flow {
        secret: Secret::new(vec![7; 32]),
        ..flow.clone()
    };
    refused(replica.start(&stolen).await, Refusal::SecretWrong);
    replica.start(&flow).await.unwrap();
    // Not either when it has become a session: a retry is the holder's.
    refused(replica.start(&stolen).await, Refusal::SecretWrong);
}

#[tokio::test]
async fn a_cancelled_flow_opens_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let flow = world.verified(world.account()).await;
    append::<CodeEvent>(&world.otp, flow.account, Some(flow.id), FlowCancelled {}).await;
    refused(replica.start(&flow).await, Refusal::Cancelled);
}

#[tokio::test]
async fn a_flow_from_before_a_cut_opens_nothing() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    let flow = world.verified(account).await;
    world.change_password(account).await;
    refused(replica.start(&flow).await, Refusal::Cut);

    let next = world.verified(account).await;
    replica.sessions.cut(account, "an administrator").await.unwrap();
    refused(replica.start(&next).await, Refusal::Cut);
    let events = world.session_events(account).await;
    assert_eq!(events.len(), 1, "nothing but the cut: refused before the append");
    let last = world.verified(account).await;
    replica.start(&last).await.unwrap();
}

#[tokio::test]
async fn a_code_is_evidence_for_half_an_hour() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    let (early, late) = (world.verified(account).await, world.verified(account).await);
    let accepted_at = world.otp.flow(early.id).await.unwrap()[1].recorded.recorded_at;
    world
        .stop_clock(accepted_at + Duration::minutes(29), &[&replica])
        .await;
    replica.start(&early).await.unwrap();
    let accepted_at = world.otp.flow(late.id).await.unwrap()[1].recorded.recorded_at;
    world
        .stop_clock(
            accepted_at + Duration::minutes(30) + Duration::microseconds(1),
            &[&replica],
        )
        .await;
    refused(replica.start(&late).await, Refusal::Old);
}

#[tokio::test]
async fn a_start_that_is_sent_again_gets_the_same_answer() {
    let world = World::new().await;
    let (replica, other) = (world.replica().await, world.replica().await);
    let flow = world.verified(world.account()).await;
    let first = replica.start(&flow).await.unwrap();
    for replica in [&replica, &other] {
        let again = replica.start(&flow).await.unwrap();
        assert_eq!(again.token.expose(), first.token.expose());
        assert_eq!((again.session, again.position), (first.session, first.position));
    }
    assert_eq!(world.session_events(flow.account).await.len(), 1);

    replica.sessions.end(first.token.expose()).await.unwrap();
    for replica in [&replica, &other] {
        refused(replica.start(&flow).await, Refusal::Used);
    }
    assert_eq!(world.session_events(flow.account).await.len(), 2);
}

/// Not the last password that was right: that alone is no sign-in.
#[tokio::test]
async fn a_start_names_the_start_before_it_however_often_it_is_sent() {
    let world = World::new().await;
    let (replica, other) = (world.replica().await, world.replica().await);
    let account = world.account();
    world.password_accepted(account).await;
    let flow = world.verified(account).await;
    let first = replica.start(&flow).await.unwrap();
    assert_eq!(first.previous_started_at, None);
    let started_at = replica
        .sessions
        .check(first.token.expose())
        .await
        .unwrap()
        .started_at;
    replica.sessions.end(first.token.expose()).await.unwrap();
    world.verified(account).await;
    let flow = world.verified(account).await;
    for replica in [&other, &other, &replica] {
        let second = replica.start(&flow).await.unwrap();
        assert_eq!(second.previous_started_at, Some(started_at));
    }
}

#[tokio::test]
async fn a_flow_whose_session_was_cut_says_so() {
    let world = World::new().await;
    let replica = world.replica().await;
    let flow = world.verified(world.account()).await;
    replica.start(&flow).await.unwrap();
    world.change_password(flow.account).await;
    refused(replica.start(&flow).await, Refusal::Cut);
}
