//! What happens at the same time.

use std::time::Duration;

use sekisho_evidence::Refusal;
use sekisho_proto::events::{AccountEvent, CodeEvent};
use sekisho_proto::{credentials::v1::PasswordChanged, otp::v1::FlowCancelled};
use sekisho_sessions::app::Error;
use sekisho_sessions::domain::Why;
use sqlx::Connection;

use crate::support::{World, append, eventually};

#[tokio::test]
async fn two_starts_at_once_on_two_replicas_are_one_session() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    for _ in 0..20 {
        let flow = world.verified(world.account()).await;
        let (a, b, c) = tokio::join!(one.start(&flow), other.start(&flow), one.start(&flow));
        let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
        assert_eq!((a.session, a.position), (b.session, b.position));
        assert_eq!((a.session, a.position), (c.session, c.position));
        assert_eq!(a.token.expose(), b.token.expose());
        assert_eq!(world.session_events(flow.account).await.len(), 1);
    }
}

/// Appends wait for the head's row in the order in which they came, so holding it decides who comes first.
struct HeldHead(sqlx::PgConnection);

impl HeldHead {
    async fn take(world: &World) -> Self {
        let mut connection = sqlx::PgConnection::connect(&world.database.url("postgres"))
            .await
            .unwrap();
        sqlx::raw_sql("begin; select from log.head for update;")
            .execute(&mut connection)
            .await
            .unwrap();
        Self(connection)
    }

    async fn release(mut self) {
        sqlx::raw_sql("commit;").execute(&mut self.0).await.unwrap();
    }
}

/// Waits until so many appends wait for the head.
async fn queued(world: &World, appends: usize) {
    eventually("the appends to queue", async || {
        let waiting = world.database.sql(
            "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock';",
        );
        (waiting.unwrap() == appends.to_string()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_between_the_evidence_and_the_append_ends_the_session_before_it_lives() {
    let world = World::new().await;
    let replica = world.replica().await;
    let flow = world.verified(world.account()).await;
    let head = HeldHead::take(&world).await;
    let cut = append::<AccountEvent>(&world.credentials, flow.account, None, PasswordChanged::default());
    let cut_is_first = async {
        queued(&world, 1).await;
        let start = replica.start(&flow);
        let release = async {
            queued(&world, 2).await;
            head.release().await;
        };
        tokio::join!(start, release).0
    };
    let (cut, refused) = tokio::join!(cut, cut_is_first);
    assert_eq!(refused.unwrap_err(), Error::Flow(Refusal::Cut));
    let events = world.session_events(flow.account).await;
    assert_eq!(events.len(), 1, "the session stands in the log");
    assert!(events[0].0.recorded.position > cut.position, "behind the cut");
    assert_eq!(replica.start(&flow).await.unwrap_err(), Error::Flow(Refusal::Cut));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_between_the_evidence_and_the_append_ends_the_session_before_it_lives() {
    let world = World::new().await;
    let (replica, other) = (world.replica().await, world.replica().await);
    let flow = world.verified(world.account()).await;
    let head = HeldHead::take(&world).await;
    let cancel = append::<CodeEvent>(&world.otp, flow.account, Some(flow.id), FlowCancelled {});
    let cancel_is_first = async {
        queued(&world, 1).await;
        let start = replica.start(&flow);
        let release = async {
            queued(&world, 2).await;
            head.release().await;
        };
        tokio::join!(start, release).0
    };
    let (_, refused) = tokio::join!(cancel, cancel_is_first);
    assert_eq!(refused.unwrap_err(), Error::Flow(Refusal::Cancelled));
    let events = world.session_events(flow.account).await;
    assert_eq!(events.len(), 1, "the session stands in the log");
    for replica in [&replica, &other] {
        assert_eq!(
            replica.start(&flow).await.unwrap_err(),
            Error::Flow(Refusal::Cancelled)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_survives_a_cut_whichever_comes_first() {
    const ROUNDS: u32 = 100;
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    let (mut refused, mut cut_later) = (0, 0);
    // Moves with the outcomes, so that both sides of the race are met whatever this machine's speed.
    let mut pause = Duration::from_micros(500);
    for _ in 0..ROUNDS {
        let flow = world.verified(world.account()).await;
        let cut = async {
            tokio::time::sleep(pause).await;
            world.change_password(flow.account).await
        };
        let (started, position) = tokio::join!(one.start(&flow), cut);
        match started {
            Ok(started) => {
                assert!(started.position < position);
                cut_later += 1;
                pause = pause.saturating_sub(Duration::from_micros(100));
                let token = started.token.expose();
                other.log.confirm_head().await.unwrap();
                assert_eq!(other.sessions.check(token).await, Err(Error::Over(Why::Cut)));
            }
            Err(error) => {
                assert_eq!(error, Error::Flow(Refusal::Cut));
                refused += 1;
                pause += Duration::from_micros(100);
            }
        }
    }
    println!("of {ROUNDS} starts {refused} were refused as cut, {cut_later} were started and then cut");
    assert!(
        refused >= 10 && cut_later >= 10,
        "the race was not met on both sides"
    );
}
