//! Activity: one replica sees it, all know of it in time.

use sekisho_sessions::app::{Ended, Error};
use sekisho_sessions::domain::Why;
use time::Duration;

use crate::support::{LIMITS, Replica, World, eventually};

/// A session that has just started, and two replicas that know it.
struct Two {
    world: World,
    busy: Replica,
    blind: Replica,
    token: Vec<u8>,
    begin: time::OffsetDateTime,
}

impl Two {
    async fn new() -> Self {
        let world = World::new().await;
        let (busy, blind) = (world.replica().await, world.replica().await);
        let started = busy.start(&world.verified(world.account()).await).await.unwrap();
        let token = started.token.expose().to_vec();
        let begin = blind.checked(&token).await.started_at;
        Self {
            world,
            busy,
            blind,
            token,
            begin,
        }
    }

    /// The log's clock stands so long after the start.
    async fn at(&self, since: Duration) {
        let replicas = [&self.busy, &self.blind];
        self.world.stop_clock(self.begin + since, &replicas).await;
    }
}

#[tokio::test]
async fn activity_is_recorded_every_ten_minutes_and_known_to_all() {
    let two = Two::new().await;
    two.at(Duration::minutes(9)).await;
    two.busy.checked(&two.token).await;
    let sessions = two.busy.sessions.clone();
    let keeper = tokio::spawn(async move { match sessions.keep_activity().await {} });
    two.at(Duration::minutes(10)).await;
    eventually("the activity to be recorded", async || {
        (two.world.extensions() > 0).then_some(())
    })
    .await;
    keeper.abort();
    // The blind replica itself has seen nothing since the start.
    two.at(Duration::minutes(38)).await;
    two.blind.checked(&two.token).await;
}

#[tokio::test]
async fn activity_in_the_last_minute_is_recorded_before_it_is_answered() {
    let two = Two::new().await;
    two.at(LIMITS.idle - Duration::seconds(10)).await;
    two.busy.checked(&two.token).await;
    assert_eq!(two.world.extensions(), 1);
    two.at(LIMITS.idle + Duration::seconds(1)).await;
    let live = two.blind.checked(&two.token).await.live;
    assert!(live.idle >= two.begin + LIMITS.idle * 2 - Duration::seconds(10));
}

/// It could not be recorded in time, for whatever reason; the person goes on all the same.
#[tokio::test]
async fn activity_that_is_recorded_late_carries_what_came_after() {
    let two = Two::new().await;
    two.at(Duration::minutes(28)).await;
    two.busy.checked(&two.token).await;
    assert_eq!(two.world.extensions(), 0);
    two.at(LIMITS.idle + Duration::seconds(5)).await;
    let live = two.busy.checked(&two.token).await.live;
    assert!(live.idle >= two.begin + LIMITS.idle * 2);
    two.blind.checked(&two.token).await;
}

#[tokio::test]
async fn nobody_is_called_idle_before_the_log_is_read_up_to_the_deadline() {
    let two = Two::new().await;
    two.at(LIMITS.idle - Duration::seconds(10)).await;
    two.blind.stop_folding();
    two.busy.checked(&two.token).await;
    two.at(LIMITS.idle + Duration::seconds(1)).await;
    assert_eq!(
        two.blind.sessions.check(&two.token).await,
        Err(Error::Unconfirmed)
    );
}

/// The answer about the head takes long; what was recorded meanwhile is not in it.
#[tokio::test]
async fn nobody_is_idle_by_a_read_before_the_deadline() {
    let two = Two::new().await;
    let live = two.blind.checked(&two.token).await.live;
    let after = live.idle + Duration::milliseconds(1);
    let micros = after.unix_timestamp_nanos() / 1_000;
    let slow = format!(
        "create or replace function log.now() returns timestamptz language sql volatile as
         $$select timestamptz 'epoch' + interval '1 microsecond' * {micros}
           from (select count(*) from generate_series(1, 300000)) as slow$$;"
    );
    two.world.database.sql(&slow).unwrap();
    two.blind.log.confirm_head().await.unwrap();
    assert_eq!(
        two.blind.sessions.check(&two.token).await,
        Err(Error::Unconfirmed)
    );
}

#[tokio::test]
async fn signing_out_ends_a_session_that_only_this_replica_takes_for_idle() {
    let two = Two::new().await;
    two.at(Duration::minutes(5)).await;
    two.busy.checked(&two.token).await;
    two.at(LIMITS.idle + Duration::seconds(10)).await;
    two.busy.checked(&two.token).await;
    let end = two.blind.sessions.end(&two.token).await.unwrap();
    assert!(matches!(end, Ended::Recorded(_)), "nothing was recorded");
    eventually("the other replica to hear of it", async || {
        (two.busy.sessions.check(&two.token).await == Err(Error::Over(Why::SignedOut))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn idleness_is_recorded_a_minute_after_the_deadline_and_no_sooner() {
    let two = Two::new().await;
    two.at(LIMITS.idle + LIMITS.margin() - Duration::seconds(10))
        .await;
    assert_eq!(
        two.blind.sessions.check(&two.token).await,
        Err(Error::Over(Why::Idle))
    );
    assert_eq!(two.blind.sessions.sweep_once().await, Ok(0));
    two.at(LIMITS.idle + LIMITS.margin()).await;
    assert_eq!(two.blind.sessions.sweep_once().await, Ok(1));
}

#[tokio::test]
async fn a_replica_that_drains_hands_its_activity_over() {
    let two = Two::new().await;
    two.at(Duration::minutes(5)).await;
    two.busy.checked(&two.token).await;
    assert_eq!(two.world.extensions(), 0);
    two.busy.sessions.hand_over().await;
    assert_eq!(two.world.extensions(), 1);
    two.at(LIMITS.idle + Duration::minutes(4)).await;
    let late = two.world.replica().await;
    late.checked(&two.token).await;
}
