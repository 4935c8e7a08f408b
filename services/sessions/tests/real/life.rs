//! How sessions live and end.

use sekisho_eventlog::Version;
use sekisho_proto::events::SessionEvent;
use sekisho_proto::sessions::v1::session_ended;
use sekisho_sessions::app::{Ended, Error};
use sekisho_sessions::domain::Why;
use time::Duration;

use crate::support::World;

#[tokio::test]
async fn an_unknown_token_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let flow = world.verified(world.account()).await;
    let started = replica.start(&flow).await.unwrap();
    let mut forged = *started.token.expose();
    forged[31] ^= 1;
    let digest = started.token.digest().0;
    for token in [
        &forged[..],
        &digest,
        flow.secret.expose(),
        flow.id.0.as_bytes(),
        b"",
    ] {
        assert_eq!(replica.sessions.check(token).await, Err(Error::Unknown));
        assert_eq!(replica.sessions.end(token).await, Ok(Ended::Nothing));
    }
    replica.checked(started.token.expose()).await;
}

#[tokio::test]
async fn a_session_of_another_replica_is_known_at_once() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    for _ in 0..10 {
        let flow = world.verified(world.account()).await;
        let started = one.start(&flow).await.unwrap();
        // No message tells the other one; it asks the log before it refuses.
        other.checked(started.token.expose()).await;
    }
}

#[tokio::test]
async fn entries_that_sessions_does_not_fold_hold_up_no_answer() {
    let world = World::new().await;
    let replica = world.replica().await;
    let flow = world.verified(world.account()).await;
    let started = replica.start(&flow).await.unwrap();
    let one_more = "insert into log.entry
        select max(position) + 1, 'client', gen_random_uuid(), 1, gen_random_uuid(), null, 'client_seen', log.now(), '', ''
        from log.entry;";
    world.database.sql(one_more).unwrap();
    let head = replica.log.confirm_head().await.unwrap();
    assert!(head > started.position);
    let checked = replica.checked(started.token.expose()).await;
    assert_eq!(checked.last_confirmed_at, None);
}

#[tokio::test]
async fn a_signed_out_session_is_refused_by_every_replica_within_a_second() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    for _ in 0..5 {
        let started = one.start(&world.verified(world.account()).await).await.unwrap();
        let token = started.token.expose();
        other.checked(token).await;
        let Ended::Recorded(position) = one.sessions.end(token).await.unwrap() else {
            panic!("an end is recorded");
        };
        let ended = tokio::time::Instant::now();
        assert!(position > started.position);
        assert_eq!(one.sessions.check(token).await, Err(Error::Over(Why::SignedOut)));
        while other.sessions.check(token).await.is_ok() {
            // The promise is a second; the rest is for a machine that does much else.
            assert!(ended.elapsed() < std::time::Duration::from_secs(3), "still alive");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(
            other.sessions.check(token).await,
            Err(Error::Over(Why::SignedOut))
        );
        assert_eq!(one.sessions.end(token).await, Ok(Ended::Nothing));
        assert_eq!(other.sessions.end(token).await, Ok(Ended::Nothing));
    }
}

#[tokio::test]
async fn a_session_is_idle_after_thirty_minutes_without_activity() {
    let world = World::new().await;
    let replica = world.replica().await;
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    for _ in 0..3 {
        let live = replica.checked(token).await.live;
        // A process's own clock runs on from where the log's clock stands.
        world
            .stop_clock(live.idle - Duration::seconds(5), &[&replica])
            .await;
        let next = replica.checked(token).await.live;
        assert!(next.idle - live.idle > Duration::minutes(29), "activity counts");
    }
    let live = replica.checked(token).await.live;
    // The log was read a moment before anybody looks at the clock.
    world
        .stop_clock(live.idle + Duration::seconds(5), &[&replica])
        .await;
    assert_eq!(replica.sessions.check(token).await, Err(Error::Over(Why::Idle)));
}

#[tokio::test]
async fn a_busy_session_ends_at_exactly_twelve_hours() {
    let world = World::new().await;
    let replica = world.replica().await;
    let started = replica
        .start(&world.verified(world.account()).await)
        .await
        .unwrap();
    let token = started.token.expose();
    let absolute = replica.checked(token).await.live.absolute;
    loop {
        let live = replica.checked(token).await.live;
        assert_eq!(live.absolute, absolute);
        if live.idle == absolute {
            break;
        }
        world
            .stop_clock(live.idle - Duration::seconds(5), &[&replica])
            .await;
    }
    world.stop_clock(absolute, &[&replica]).await;
    assert_eq!(
        replica.sessions.check(token).await,
        Err(Error::Over(Why::Absolute))
    );
    assert_eq!(replica.sessions.end(token).await, Ok(Ended::Nothing));
}

#[tokio::test]
async fn a_cut_ends_every_session_of_its_account_and_no_other() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    let account = world.account();
    let first = one.start(&world.verified(account).await).await.unwrap();
    let second = other.start(&world.verified(account).await).await.unwrap();
    let spared = one.start(&world.verified(world.account()).await).await.unwrap();
    let position = one.sessions.cut(account, "demo-administrator").await.unwrap();
    for started in [&first, &second] {
        let refused = one.sessions.check(started.token.expose()).await;
        assert_eq!(refused, Err(Error::Over(Why::Cut)));
        assert_eq!(one.sessions.end(started.token.expose()).await, Ok(Ended::Nothing));
    }
    one.checked(spared.token.expose()).await;
    let events = world.session_events(account).await;
    let (cut, event) = events.last().unwrap();
    assert_eq!(cut.recorded.position, position);
    assert!(matches!(event, SessionEvent::SessionsCut(_)));
    assert_eq!(cut.metadata().actor, "demo-administrator");
}

#[tokio::test]
async fn an_account_that_nobody_has_cannot_be_cut() {
    let world = World::new().await;
    let replica = world.replica().await;
    let refused = replica.sessions.cut(world.account(), "demo-administrator").await;
    assert_eq!(refused, Err(Error::AccountUnknown));
}

#[tokio::test]
async fn an_end_that_was_computed_is_recorded_once() {
    let world = World::new().await;
    let replicas = [world.replica().await, world.replica().await];
    let (old, cut) = (world.account(), world.account());
    let started = replicas[0].start(&world.verified(old).await).await.unwrap();
    let flow = world.verified(cut).await;
    replicas[1].start(&flow).await.unwrap();
    world.change_password(cut).await;
    let live = replicas[0]
        .sessions
        .check(started.token.expose())
        .await
        .unwrap()
        .live;
    world
        .stop_clock(live.absolute, &[&replicas[0], &replicas[1]])
        .await;

    let [one, other] = &replicas;
    let swept = tokio::join!(one.sessions.sweep_once(), other.sessions.sweep_once());
    assert_eq!(swept.0.unwrap() + swept.1.unwrap(), 2);
    assert_eq!(one.sessions.sweep_once().await, Ok(0));
    for (account, expected) in [(old, session_ended::Why::Idle), (cut, session_ended::Why::Cut)] {
        let events = world.session_events(account).await;
        let [_, (entry, SessionEvent::SessionEnded(ended))] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!(ended.why(), expected);
        assert_eq!(entry.recorded.version, Version(2));
        assert_eq!(entry.metadata().actor, "sessions");
    }
}

#[tokio::test]
async fn an_entry_that_is_not_understood_is_a_cut_of_its_account_alone() {
    let world = World::new().await;
    let replica = world.replica().await;
    let accounts = [(); 5].map(|()| world.account());
    let mut tokens = Vec::new();
    for account in accounts {
        tokens.push(replica.start(&world.verified(account).await).await.unwrap().token);
    }
    let [newer, damaged, undecidable, gone, _] = accounts;
    // One of a later version of credentials, one whose bytes are none, and one in the stream of sessions itself. The
    // last account's stream of sessions has lost its beginning.
    for (account, kind, event_type, payload) in [
        (newer, "account", "account_sung", ""),
        (damaged, "account", "email_changed", "\\x0a"),
        (undecidable, "session", "session_sung", ""),
        (gone, "account", "account_sung", ""),
    ] {
        let entry = format!(
            "insert into log.entry
             select max(position) + 1, '{kind}', '{account}', 1000, gen_random_uuid(), null, '{event_type}',
                 log.now(), '{payload}', '' from log.entry;"
        );
        world.database.sql(&entry).unwrap();
    }
    let lost = format!("delete from log.entry where kind = 'session' and stream_id = '{gone}';");
    world.database.sql(&lost).unwrap();
    replica.log.confirm_head().await.unwrap();
    let mut answers = Vec::new();
    for token in &tokens {
        answers.push(replica.sessions.check(token.expose()).await.map(drop));
    }
    assert_eq!(
        answers,
        [
            Err(Error::Over(Why::Cut)),
            Err(Error::Over(Why::Cut)),
            Err(Error::Over(Why::Cut)),
            Err(Error::Over(Why::Cut)),
            Ok(())
        ]
    );
    // Where nothing can be decided no end is recorded; the two others are.
    assert_eq!(replica.sessions.sweep_once().await, Ok(2));
}
