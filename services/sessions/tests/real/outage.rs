//! PostgreSQL goes away and comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use sekisho_dev::{Postgres, Schema};
use sekisho_eventlog::LogFault;
use sekisho_sessions::app::{Confirmed, Error};
use sekisho_sessions::domain::{Limits, Why};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::Instant;

use crate::support::{LIMITS, World, eventually};

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
    let signed_out = Err(Error::Over(Why::SignedOut));
    assert_eq!(replica.sessions.check(over.token.expose()).await, signed_out);

    postgres.kill().unwrap();
    eventually("the head to be older than a second", async || {
        (replica.log.head_age() > Duration::from_secs(1)).then_some(())
    })
    .await;
    let begun = Instant::now();
    // From memory, and it says so.
    let believed = replica.sessions.check(alive.token.expose()).await.unwrap();
    assert!(believed.last_confirmed_at.is_some());
    assert_eq!(replica.sessions.check(b"unknown").await, Err(Error::Unconfirmed));
    assert_eq!(replica.sessions.end(b"unknown").await, Err(Error::Unconfirmed));
    assert_eq!(replica.sessions.check(over.token.expose()).await, signed_out);
    assert!(begun.elapsed() < Duration::from_secs(6), "each within 2 s");
    assert_eq!(
        replica.start(&flow).await.unwrap_err(),
        Error::Log(LogFault::Unavailable)
    );

    postgres.restart().unwrap();
    eventually("the session to be known again", async || {
        replica.sessions.check(alive.token.expose()).await.ok()
    })
    .await;
    replica.start(&flow).await.unwrap();
}

/// Half an hour of memory, from the last word of the log on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_believed_in_without_the_log_for_the_stale_limit_and_no_longer() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let limits = Limits {
        stale: time::Duration::seconds(4),
        ..LIMITS
    };
    let replica = world.replica_of(&world.database.url("sessions"), limits).await;
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    postgres.kill().unwrap();
    eventually("an answer from memory", async || {
        replica.sessions.check(token).await.unwrap().last_confirmed_at
    })
    .await;
    eventually("the stale limit", async || {
        match replica.sessions.check(token).await {
            Err(Error::Unconfirmed) => Some(()),
            answer => {
                assert!(answer.unwrap().last_confirmed_at.is_some());
                None
            }
        }
    })
    .await;
    assert!(replica.log.head_age() >= Duration::from_secs(4));
}

/// Whatever it does for nobody, it does it soon: the caller asks the other replicas within the same 2 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_hangs_holds_up_no_check() {
    let world = World::new().await;
    let replica = world.replica().await;
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    // Whoever reads the log now waits.
    let mut admin = PgConnection::connect(&world.database.url("postgres"))
        .await
        .unwrap();
    let mut lock = admin.begin().await.unwrap();
    lock.execute("lock table log.entry in access exclusive mode")
        .await
        .unwrap();
    eventually("the head to be older than a second", async || {
        (replica.log.head_age() > Duration::from_secs(1)).then_some(())
    })
    .await;
    let begun = Instant::now();
    for _ in 0..20 {
        assert!(
            replica
                .sessions
                .check(token)
                .await
                .unwrap()
                .last_confirmed_at
                .is_some()
        );
        assert_eq!(replica.sessions.check(b"unknown").await, Err(Error::Unconfirmed));
    }
    // One read a second at most, and each half a second.
    assert!(
        begun.elapsed() < Duration::from_millis(1_500),
        "{:?}",
        begun.elapsed()
    );
    lock.rollback().await.unwrap();
    eventually("a confirmed answer", async || {
        let confirmed = replica
            .sessions
            .check(token)
            .await
            .unwrap()
            .last_confirmed_at
            .is_none();
        confirmed.then_some(())
    })
    .await;
}

/// The log is read no more, though it says that there is more: an answer is as old as what it stands on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_from_memory_is_as_old_as_what_was_folded() {
    let world = World::new().await;
    let limits = Limits {
        stale: time::Duration::seconds(3),
        ..LIMITS
    };
    let replica = world.replica_of(&world.database.url("sessions"), limits).await;
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    replica.stop_folding();
    let folded_at = replica.log.now();
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.change_password(world.account()).await;
    replica.log.confirm_head().await.unwrap();
    let believed = replica.sessions.check(token).await.unwrap();
    assert!(believed.last_confirmed_at.unwrap() <= folded_at, "{believed:?}");
    eventually("the stale limit", async || {
        (replica.sessions.check(token).await == Err(Error::Unconfirmed)).then_some(())
    })
    .await;
    assert!(replica.log.head_age() < Duration::from_secs(2));
}

/// While it waits for the log in vain its own clock passes the deadline; another replica may have seen the session used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_becomes_idle_while_the_log_hangs_is_not_called_so() {
    let world = World::new().await;
    let replica = world.replica().await;
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    let idle = replica.sessions.check(token).await.unwrap().live.idle;
    world
        .stop_clock(idle - time::Duration::milliseconds(1_300), &[&replica])
        .await;
    let mut admin = PgConnection::connect(&world.database.url("postgres"))
        .await
        .unwrap();
    let mut lock = admin.begin().await.unwrap();
    lock.execute("lock table log.entry in access exclusive mode")
        .await
        .unwrap();
    eventually("the head to be older than a second", async || {
        (replica.log.head_age() > Duration::from_secs(1)).then_some(())
    })
    .await;
    assert_eq!(replica.sessions.check(token).await, Err(Error::Unconfirmed));
    assert!(replica.log.now() > idle);
    lock.rollback().await.unwrap();
}

/// What was folded may be void, whether or not the log can be asked now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_went_back_and_is_away_is_not_believed_from_memory() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let replica = world.replica().await;
    world.database.back_up().unwrap();
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    replica.sessions.check(token).await.unwrap();
    world.database.restore().unwrap();
    eventually("the replica to notice", async || {
        (replica.sessions.check(token).await == Err(Error::Log(LogFault::WentBack))).then_some(())
    })
    .await;
    postgres.kill().unwrap();
    for _ in 0..10 {
        assert!(replica.sessions.check(token).await.is_err());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A check that found no answer keeps the next ones from waiting, but not from hearing what the log turns out to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_went_back_is_named_also_after_a_read_without_an_answer() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.database.back_up().unwrap();
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    let mut admin = PgConnection::connect(&world.database.url("postgres"))
        .await
        .unwrap();
    let mut lock = admin.begin().await.unwrap();
    lock.execute("lock table log.entry in access exclusive mode")
        .await
        .unwrap();
    eventually("the head to be older than a second", async || {
        (replica.log.head_age() > Duration::from_secs(1)).then_some(())
    })
    .await;
    assert_eq!(replica.sessions.check(b"unknown").await, Err(Error::Unconfirmed));
    // Ends the lock's connection too.
    world.database.restore().unwrap();
    eventually("the replica to notice", async || {
        replica.log.went_back().then_some(())
    })
    .await;
    assert_eq!(
        replica.sessions.check(token).await,
        Err(Error::Log(LogFault::WentBack))
    );
}

/// For a second an answer needs no read of the head; that second is over when the log is known to be another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_went_back_is_named_also_right_after_a_confirmed_head() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.database.back_up().unwrap();
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    replica.log.confirm_head().await.unwrap();
    world.database.restore().unwrap();
    eventually("the replica to notice", async || {
        let _ = replica.log.confirm_head().await;
        replica.log.went_back().then_some(())
    })
    .await;
    let answer = replica.sessions.check(token).await;
    assert_eq!(answer, Err(Error::Log(LogFault::WentBack)));
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
    let end = begin + time::Duration::minutes(30);
    world
        .stop_clock(end - time::Duration::seconds(3), &replicas)
        .await;

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
        .stop_clock(end + time::Duration::seconds(3), &replicas)
        .await;
    assert_eq!(blind.sessions.check(token).await, Err(Error::Unconfirmed));
    busy.sessions.hand_over().await;
    let live = blind.sessions.check(token).await.unwrap().live;
    assert!(live.idle >= begin + time::Duration::minutes(39));
}

/// There may have been an outage before it started, of which it knows nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_has_just_started_calls_nobody_idle() {
    let world = World::new().await;
    let replica = world.replica().await;
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    let idle = replica.sessions.check(token).await.unwrap().started_at + LIMITS.idle;
    world.stop_clock(idle + LIMITS.margin(), &[]).await;
    let late = world.replica().await;
    assert_eq!(late.sessions.check(token).await, Err(Error::Unconfirmed));
    assert_eq!(late.sessions.sweep_once().await, Ok(0));
    let calm = time::Duration::seconds(10);
    world.stop_clock(idle + LIMITS.margin() + calm, &[&late]).await;
    assert_eq!(late.sessions.check(token).await, Err(Error::Over(Why::Idle)));
    assert_eq!(late.sessions.sweep_once().await, Ok(1));
    // What the log says is as true at the first moment as later.
    let next = world.replica().await;
    assert_eq!(next.sessions.check(token).await, Err(Error::Over(Why::Idle)));
}

/// The log is read as ever, and takes nothing: what others have seen they cannot record either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nothing_can_be_recorded_nobody_is_idle() {
    let world = World::new().await;
    let replica = world.replica().await;
    let start = async || {
        replica
            .start(&world.verified(world.account()).await)
            .await
            .unwrap()
    };
    let (busy, silent) = (start().await, start().await);
    let (busy, silent) = (busy.token.expose(), silent.token.expose());
    let begin = replica.sessions.check(silent).await.unwrap().started_at;
    let minutes = |minutes| begin + time::Duration::minutes(minutes);
    world.stop_clock(minutes(20), &[&replica]).await;
    replica.sessions.check(busy).await.unwrap();
    world.stop_clock(minutes(31), &[&replica]).await;

    let mut admin = PgConnection::connect(&world.database.url("postgres"))
        .await
        .unwrap();
    let mut lock = admin.begin().await.unwrap();
    lock.execute("select from log.head for update").await.unwrap();
    let unavailable = Err(Error::Log(LogFault::Unavailable));
    assert_eq!(replica.sessions.check(busy).await, unavailable);
    assert_eq!(replica.sessions.check(silent).await, Err(Error::Unconfirmed));
    lock.rollback().await.unwrap();
    replica.sessions.check(busy).await.unwrap();
    // As the service does once a second: what was given up may have been recorded all the same, and then nothing more was.
    replica.log.probe().await.unwrap();
    world.stop_clock(minutes(32), &[&replica]).await;
    assert_eq!(replica.sessions.check(silent).await, Err(Error::Over(Why::Idle)));
}

/// The other replica has nothing to record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_writes_nothing_notices_that_the_others_cannot() {
    let world = World::new().await;
    let (busy, blind) = (world.replica().await, world.replica().await);
    let started = busy.start(&world.verified(world.account()).await).await.unwrap();
    let token = started.token.expose();
    let begin = blind.sessions.check(token).await.unwrap().started_at;
    let minutes = |minutes| begin + time::Duration::minutes(minutes);
    let replicas = [&busy, &blind];
    world.stop_clock(minutes(9), &replicas).await;
    busy.sessions.check(token).await.unwrap();
    world.stop_clock(minutes(31), &replicas).await;

    let mut admin = PgConnection::connect(&world.database.url("postgres"))
        .await
        .unwrap();
    let mut lock = admin.begin().await.unwrap();
    lock.execute("select from log.head for update").await.unwrap();
    let sessions = blind.sessions.clone();
    let probe = tokio::spawn(async move { match sessions.probe_log().await {} });
    eventually("the probe to fail", async || {
        (blind.log.steady_since() > minutes(31)).then_some(())
    })
    .await;
    assert_eq!(blind.sessions.check(token).await, Err(Error::Unconfirmed));
    lock.rollback().await.unwrap();
    busy.sessions.hand_over().await;
    let live = blind.sessions.check(token).await.unwrap().live;
    assert!(live.idle >= minutes(39));
    probe.abort();
}

/// A drain has only so much time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_log_a_drain_does_not_wait_for_each_session() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let replica = world.replica().await;
    // Five times as many as are recorded at once.
    for _ in 0..320 {
        let started = replica
            .start(&world.verified(world.account()).await)
            .await
            .unwrap();
        replica.sessions.check(started.token.expose()).await.unwrap();
    }
    postgres.kill().unwrap();
    let begun = Instant::now();
    replica.sessions.hand_over().await;
    // Not five times the patience of 2 s.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

/// A gateway that asks meanwhile gives up after two seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_closed_is_remembered_while_the_log_is_away() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let (one, late) = (world.replica().await, world.replica().await);
    world.close_host("portal.example.jp").await;
    let closed = BTreeSet::from(["portal.example.jp".to_owned()]);
    let now = one.sessions.closed_hosts().await.unwrap();
    assert_eq!(now, (closed.clone(), Confirmed::Now));
    postgres.kill().unwrap();
    let asked = Instant::now();
    let remembered = one.sessions.closed_hosts().await.unwrap();
    assert_eq!(remembered, (closed, Confirmed::Before));
    assert_eq!(late.sessions.closed_hosts().await, Err(Error::Unconfirmed));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}
