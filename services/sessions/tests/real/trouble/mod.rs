//! Trouble while people work, and what must be true afterwards: `verify` holds what was said against the log.

mod witness;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::{Client, HeaderMap};
use futures::StreamExt as _;
use futures::future::join_all;
use sekisho_dev::{Nats, Postgres, Schema};
use sekisho_eventlog::{Draft, EventId, LogFault, Outcome, Position, Via};
use sekisho_proto::Kind;
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_sessions::app::Error;
use sekisho_sessions::domain::{Limits, Why};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::support::{LIMITS, Replica, World, client, eventually};
use witness::{Counts, Witness, verify};

/// Witnesses of one world.
const WITNESSES: u64 = 4;

async fn witnesses(world: &World, replicas: &[&Replica], sessions: usize) -> Vec<Witness> {
    let mut all = Vec::new();
    for seed in 1..=WITNESSES {
        all.push(
            Witness::new(
                world,
                replicas,
                sessions,
                seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            )
            .await,
        );
    }
    all
}

/// All of them at the same time.
async fn act_for(witnesses: &mut [Witness], time: Duration) {
    join_all(witnesses.iter_mut().map(|witness| witness.act_for(time))).await;
}

/// Others act, until one of them has started a session: a busy disk lets people do little in a second.
async fn act_anew(world: &World, replicas: &[&Replica]) -> Vec<Witness> {
    let mut others = witnesses(world, replicas, 10).await;
    for _ in 0..20 {
        act_for(&mut others, Duration::from_secs(1)).await;
        if counts(&others).started > 0 {
            return others;
        }
    }
    panic!("nobody has started a session: {:?}", counts(&others));
}

fn counts(witnesses: &[Witness]) -> Counts {
    witnesses.iter().fold(Counts::default(), |all, witness| {
        let one = witness.counts();
        Counts {
            started: all.started + one.started,
            alive: all.alive + one.alive,
            believed: all.believed + one.believed,
            over: all.over + one.over,
            ended: all.ended + one.ended,
            unrecorded: all.unrecorded + one.unrecorded,
            unanswered: all.unanswered + one.unanswered,
        }
    })
}

/// Repeats every message of sessions up to five times, late and in another order, and sends what nobody has sealed.
async fn tamper(bus: Client, sent: Arc<AtomicUsize>) {
    let mut heard = bus.subscribe("signin.session.>").await.unwrap();
    let mut kept = Vec::new();
    while let Some(message) = heard.next().await {
        if message
            .headers
            .as_ref()
            .is_some_and(|headers| headers.get("forged").is_some())
        {
            continue;
        }
        kept.push(message);
        if kept.len() < 8 {
            continue;
        }
        for (nth, message) in kept.drain(..).rev().enumerate() {
            for position in ["1", "1000000000", "nonsense"] {
                let mut headers = HeaderMap::new();
                headers.insert("forged", "yes");
                headers.insert("ce-position", position);
                let subject = message.subject.clone();
                bus.publish_with_headers(subject.clone(), headers, message.payload.clone())
                    .await
                    .unwrap();
                let mut again = HeaderMap::new();
                again.insert("forged", "yes");
                let body = if nth % 2 == 0 {
                    message.payload.clone()
                } else {
                    "nonsense".into()
                };
                bus.publish_with_headers(subject, again, body).await.unwrap();
                sent.fetch_add(2, Ordering::Relaxed);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_come_twice_late_or_forged_change_nothing() {
    let nats = Nats::start().unwrap();
    let world = World::new().await;
    let url = world.database.url("sessions");
    let one = world.replica_at(&url, Some(client(&nats).await)).await;
    let other = world.replica_at(&url, Some(client(&nats).await)).await;
    let replicas = [&one, &other];
    let sent = Arc::new(AtomicUsize::new(0));
    let tampering = tokio::spawn(tamper(client(&nats).await, Arc::clone(&sent)));
    let mut witnesses = witnesses(&world, &replicas, 20).await;
    act_for(&mut witnesses, Duration::from_secs(3)).await;
    let counts = counts(&witnesses);
    assert!(counts.started > 10 && counts.ended > 5, "{counts:?}");
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent > 50, "{sent} messages");
    verify(&world, &replicas, &LIMITS, &mut witnesses).await;
    tampering.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_newer_version_ends_the_sessions_of_its_account_and_troubles_nobody_else() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    let replicas = [&one, &other];
    let mut witnesses = witnesses(&world, &replicas, 20).await;
    for _ in 0..5 {
        witnesses[0].start().await;
    }
    let account = witnesses[0].some_account();
    let version = world
        .session_events(account)
        .await
        .last()
        .unwrap()
        .0
        .recorded
        .version;
    let draft = Draft {
        kind: Kind::Session,
        stream: account,
        expected: version,
        event_id: EventId::new(one.log.now()),
        flow: None,
        event_type: "something_new",
        payload: Payload::default(),
        metadata: Metadata::default(),
        not_after: None,
    };
    let appended = one.log.append(draft, &Via::Append).await;
    assert!(matches!(appended, Ok(Outcome::Recorded(_))), "{appended:?}");
    witnesses[0].account_is_cut(account);
    act_for(&mut witnesses[1..], Duration::from_secs(2)).await;
    // Nothing can be decided on that account any more, so nobody asks for an end of its session.
    for _ in 0..20 {
        witnesses[0].check().await;
    }
    verify(&world, &replicas, &LIMITS, &mut witnesses).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_killed_and_restarted_under_people_who_work() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let (one, other) = (world.replica().await, world.replica().await);
    let replicas = [&one, &other];
    let mut witnesses = witnesses(&world, &replicas, 40).await;
    // On a thread of its own: people go on while it is away.
    let trouble = tokio::task::spawn_blocking(move || {
        for is_killed in [true, false] {
            std::thread::sleep(Duration::from_millis(800));
            if is_killed {
                postgres.kill().unwrap();
            } else {
                postgres.stop().unwrap();
            }
            // Longer than anybody waits for an append.
            std::thread::sleep(Duration::from_millis(2_500));
            postgres.restart().unwrap();
        }
        postgres
    });
    let begun = Instant::now();
    let is_enough = |counts: Counts| counts.started > 10 && counts.ended > 5;
    while !trouble.is_finished()
        || (!is_enough(counts(&witnesses)) && begun.elapsed() < Duration::from_secs(30))
    {
        act_for(&mut witnesses, Duration::from_secs(1)).await;
    }
    let _postgres = trouble.await.unwrap();
    let counts = counts(&witnesses);
    assert!(is_enough(counts), "{counts:?}");
    assert!(counts.unanswered + counts.believed > 0, "{counts:?}");
    verify(&world, &replicas, &LIMITS, &mut witnesses).await;
}

/// The blind one hears of ends over the bus alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_replica_alone_is_cut_off_from_postgresql() {
    let nats = Nats::start().unwrap();
    let world = World::new().await;
    let (url, wire) = crate::wire::wire_to(&world.database).await;
    let blind = world.replica_at(&url, Some(client(&nats).await)).await;
    let other = world
        .replica_at(&world.database.url("sessions"), Some(client(&nats).await))
        .await;
    let mut witnesses = witnesses(&world, &[&blind, &other], 30).await;
    for witness in &mut witnesses {
        witness.ends_are_told();
    }
    act_for(&mut witnesses, Duration::from_secs(1)).await;
    drop(wire);
    // A busy machine lets people do little in three seconds; without these the test would show nothing.
    let shows_something = |counts: Counts| counts.believed > 0 && counts.ended + counts.unrecorded > 0;
    for _ in 0..6 {
        act_for(&mut witnesses, Duration::from_secs(3)).await;
        if shows_something(counts(&witnesses)) {
            break;
        }
    }
    let counts = counts(&witnesses);
    assert!(shows_something(counts), "{counts:?}");
    verify(&world, &[&other], &LIMITS, &mut witnesses).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_is_killed_and_restarted() {
    let nats = Nats::start().unwrap();
    let world = World::new().await;
    let url = world.database.url("sessions");
    let one = world.replica_at(&url, Some(client(&nats).await)).await;
    let other = world.replica_at(&url, Some(client(&nats).await)).await;
    let replicas = [&one, &other];
    let mut witnesses = witnesses(&world, &replicas, 30).await;
    let trouble = tokio::task::spawn_blocking(move || {
        for _ in 0..2 {
            std::thread::sleep(Duration::from_secs(1));
            nats.kill().unwrap();
            std::thread::sleep(Duration::from_secs(1));
            nats.restart().unwrap();
        }
        nats
    });
    act_for(&mut witnesses, Duration::from_secs(5)).await;
    let _nats = trouble.await.unwrap();
    let counts = counts(&witnesses);
    assert!(counts.started > 10 && counts.ended > 5, "{counts:?}");
    // PostgreSQL was there all the time, if perhaps slow.
    assert_eq!(counts.unrecorded, 0, "{counts:?}");
    assert!(
        10 * (counts.unanswered + counts.believed) < counts.alive,
        "{counts:?}"
    );
    verify(&world, &replicas, &LIMITS, &mut witnesses).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_of_the_database_goes_back_an_hour_and_forward_again() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    let replicas = [&one, &other];
    let mut witnesses = witnesses(&world, &replicas, 30).await;
    act_for(&mut witnesses, Duration::from_secs(1)).await;
    // All of those may have signed out by now, and used up their flows.
    let stays = one.start(&world.verified(world.account()).await).await.unwrap();
    let clock = |expression: &str| {
        let statement = format!(
            "create or replace function log.now() returns timestamptz language sql volatile as $$select {expression}$$;"
        );
        world.database.sql(&statement).unwrap();
    };
    clock("clock_timestamp() - interval '1 hour'");
    let before = counts(&witnesses);
    act_for(&mut witnesses, Duration::from_secs(2)).await;
    let during = counts(&witnesses);
    assert_eq!(
        during.started, before.started,
        "nothing is recorded by a clock that is behind"
    );
    assert!(during.unanswered > before.unanswered, "{during:?}");
    one.checked(stays.token.expose()).await;
    clock("clock_timestamp()");
    // Those of before may have used up their flows.
    witnesses.extend(act_anew(&world, &replicas).await);
    verify(&world, &replicas, &LIMITS, &mut witnesses).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_dump_is_put_under_running_replicas_and_an_epoch_begun() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    let replicas = [&one, &other];
    let mut before = witnesses(&world, &replicas, 10).await;
    act_for(&mut before, Duration::from_secs(1)).await;
    world.database.back_up().unwrap();
    let lost = one.start(&world.verified(world.account()).await).await.unwrap();
    // A replica that has not seen what is lost has nothing to notice.
    other.checked(lost.token.expose()).await;
    world.database.restore().unwrap();
    for replica in replicas {
        let went_back = Err(Error::Log(LogFault::WentBack));
        eventually("the replica to notice", async || {
            (replica.sessions.check(lost.token.expose()).await == went_back).then_some(())
        })
        .await;
    }
    world.start_epoch().await;
    for replica in replicas {
        eventually("the replica to begin anew", async || {
            (replica.sessions.check(lost.token.expose()).await == Err(Error::Unknown)).then_some(())
        })
        .await;
    }
    for witness in &mut before {
        witness.all_are_over(&replicas).await;
    }
    let mut after = act_anew(&world, &replicas).await;
    verify(&world, &replicas, &LIMITS, &mut after).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_fill_and_open_under_people_who_work() {
    const SEGMENT: u64 = 64;
    let world = World::with_segments_of(SEGMENT).await;
    let url = world.database.url("otp");
    let making: JoinHandle<()> = tokio::spawn(async move {
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        loop {
            sqlx::query("select log.make_segments()")
                .execute(&pool)
                .await
                .unwrap();
            sleep(Duration::from_millis(10)).await;
        }
    });
    let (one, other) = (world.replica().await, world.replica().await);
    let replicas = [&one, &other];
    let mut witnesses = witnesses(&world, &replicas, 40).await;
    act_for(&mut witnesses, Duration::from_secs(3)).await;
    let head = one.log.confirm_head().await.unwrap();
    assert!(head > Position(6 * SEGMENT), "{head}");
    verify(&world, &replicas, &LIMITS, &mut witnesses).await;
    making.abort();
}

/// PostgreSQL is away for 29 of the 30 minutes that a session may be idle, while people work; one of them does not.
async fn away_for_almost_as_long_as_anybody_may_be_idle(idle: Duration) {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let limits = Limits {
        idle: idle.try_into().unwrap(),
        // In a test of seconds the polls of half a second count.
        stale: (idle + Duration::from_secs(2)).try_into().unwrap(),
        ..LIMITS
    };
    let url = world.database.url("sessions");
    let (one, other) = (
        world.replica_of(&url, limits).await,
        world.replica_of(&url, limits).await,
    );
    let replicas = [&one, &other];
    let keepers = replicas.map(|replica| {
        let sessions = replica.sessions.clone();
        tokio::spawn(async move { match sessions.keep_activity().await {} })
    });
    let start = async || {
        one.start(&world.verified(world.account()).await)
            .await
            .unwrap()
            .token
    };
    let (busy, silent) = (start().await, start().await);
    eventually("the other replica to know both", async || {
        other.sessions.check(busy.expose()).await.ok()?;
        other.sessions.check(silent.expose()).await.ok()
    })
    .await;
    postgres.kill().unwrap();
    let (gone, gone_at) = (Instant::now(), one.log.now());
    let mut believed = 0;
    while gone.elapsed() < idle * 29 / 30 {
        for replica in replicas {
            // Never signed out, and from the first second on never without an answer.
            let checked = replica.sessions.check(busy.expose()).await.unwrap();
            believed += u32::from(checked.last_confirmed_at.is_some());
        }
        sleep(idle / 60).await;
    }
    assert!(believed > 10, "{believed}");
    postgres.restart().unwrap();
    for replica in replicas {
        eventually("a confirmed answer", async || {
            let answer = replica.sessions.check(busy.expose()).await;
            match answer {
                Ok(checked) => checked.last_confirmed_at.is_none().then_some(()),
                Err(Error::Unconfirmed | Error::Log(LogFault::Unavailable)) => None,
                Err(error) => panic!("{error:?}"),
            }
        })
        .await;
    }
    while gone.elapsed() < idle * 2 {
        for replica in replicas {
            replica.sessions.check(busy.expose()).await.unwrap();
        }
        sleep(idle / 60).await;
    }
    for replica in replicas {
        let over = Err(Error::Over(Why::Idle));
        assert_eq!(replica.sessions.check(silent.expose()).await, over);
    }
    // By what is recorded it was never idle: it was used before the time of its start had run out.
    let used = world.extensions_between(gone_at + idle / 6, gone_at + idle).await;
    assert!(used > 0, "no use in the outage was recorded");
    let mut witnesses = witnesses(&world, &replicas, 2).await;
    verify(&world, &replicas, &limits, &mut witnesses).await;
    for keeper in keepers {
        keeper.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_away_for_almost_as_long_as_anybody_may_be_idle() {
    away_for_almost_as_long_as_anybody_may_be_idle(Duration::from_secs(15)).await;
}

mod long_soak {
    use std::time::Duration;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "long tier"]
    async fn postgresql_is_away_for_29_minutes() {
        super::away_for_almost_as_long_as_anybody_may_be_idle(Duration::from_mins(30)).await;
    }
}
