//! Followers fold what they read from the log, and nothing else.

use std::time::Duration;

use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures::StreamExt as _;
use sekisho_dev::Nats;
use sekisho_eventlog::{Follower, Log, Position};
use sekisho_proto::Kind;
use tokio::time::Instant;

use super::publish::{log_with, user};
use super::support::{Db, Proxy, append, draft, recorded, stream};

/// Follows codes until a position, and answers what came with it.
async fn follow_to(follower: &mut Follower, position: Position) -> Vec<Position> {
    let mut seen = Vec::new();
    loop {
        let batch = follower.next().await.unwrap();
        seen.extend(batch.entries.iter().map(|entry| entry.recorded.position));
        if batch.upto >= position {
            return seen;
        }
    }
}

fn range(positions: std::ops::RangeInclusive<u64>) -> Vec<Position> {
    positions.map(Position).collect()
}

async fn forge(client: &Client, position: u64) {
    let mut headers = HeaderMap::new();
    headers.insert("ce-position", position.to_string());
    headers.insert("ce-type", "signin.code.code_accepted");
    let body = Bytes::from_static(b"\x08\x02\x10\x01");
    client
        .publish_with_headers("signin.code.code_accepted", headers, body)
        .await
        .unwrap();
    client.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_sees_every_entry_of_its_kinds_once_and_in_order() {
    let db = Db::new().await;
    let (log, other) = (db.log().await, db.log_as("sessions").await);
    for version in 0..10 {
        recorded(append(&log, &draft(stream(1), version)).await);
    }
    let mut follower = other.follow(&[Kind::Code], Position(4));
    assert_eq!(follow_to(&mut follower, Position(10)).await, range(5..=10));
    for version in 10..20 {
        recorded(append(&log, &draft(stream(1), version)).await);
    }
    assert_eq!(follow_to(&mut follower, Position(20)).await, range(11..=20));
    let mut nothing = other.follow(&[Kind::Audit], Position(0));
    assert_eq!(follow_to(&mut nothing, Position(20)).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_sees_its_own_append_at_once() {
    let db = Db::new().await;
    let log = db.log().await;
    let mut follower = log.follow(&[Kind::Code], Position(0));
    let mut waits = Vec::new();
    for version in 0..20 {
        let position = recorded(append(&log, &draft(stream(1), version)).await).position;
        let begun = Instant::now();
        assert_eq!(follow_to(&mut follower, position).await, [position]);
        waits.push(begun.elapsed());
    }
    waits.sort_unstable();
    // As below.
    assert!(waits[5] < Duration::from_millis(250), "{waits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_a_new_entry_arrives_within_a_second() {
    let db = Db::quiet().await;
    let (log, other) = (db.log().await, db.log().await);
    let mut follower = other.follow(&[Kind::Code], Position(0));
    let mut slowest = Duration::ZERO;
    for version in 0..6 {
        let position = recorded(append(&log, &draft(stream(1), version)).await).position;
        let begun = Instant::now();
        assert_eq!(follow_to(&mut follower, position).await, [position]);
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nats_a_new_entry_arrives_long_before_the_next_poll() {
    let db = Db::quiet().await;
    let nats = Nats::shared().unwrap();
    let log = log_with(&db, user(nats, "otp").await, &[]).await;
    let other = log_with(&db, user(nats, "sessions").await, &["signin.code.>"]).await;
    let mut follower = other.follow(&[Kind::Code], Position(0));
    let mut waits = Vec::new();
    for version in 0..21 {
        let position = recorded(append(&log, &draft(stream(1), version)).await).position;
        let begun = Instant::now();
        assert_eq!(follow_to(&mut follower, position).await, [position]);
        waits.push(begun.elapsed());
    }
    waits.sort_unstable();
    // By polling alone each would wait for the next poll, nearly half a second after the last. Of 21 the sixth, so that
    // a busy machine may delay most of them.
    assert!(waits[5] < Duration::from_millis(250), "{waits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_gets_through_a_network_that_is_too_slow_for_whole_pages() {
    let db = Db::new().await;
    let log = db.log().await;
    let all = (0..600).map(|number| {
        let mut large = draft(stream(number), 0);
        large.payload.event = vec![0; 8_000];
        let log = log.clone();
        async move { recorded(append(&log, &large).await).position }
    });
    let mut appended: Vec<_> = futures::stream::iter(all).buffered(50).collect().await;
    appended.sort_unstable();
    let proxy = Proxy::start(db.address(), None).await;
    let slow = db.log_at(db.url_by("otp", proxy.address)).await;
    // 4.8 MB in all; a page that is to come within 2 s holds 400 entries at the most.
    proxy.slow_down(1_600_000);
    let mut follower = slow.follow(&[Kind::Code], Position(0));
    let all = async {
        let mut seen = Vec::new();
        while seen.len() < appended.len() {
            if let Ok(batch) = follower.next().await {
                seen.extend(batch.entries.iter().map(|entry| entry.recorded.position));
            }
        }
        seen
    };
    let seen = tokio::time::timeout(Duration::from_mins(1), all).await.unwrap();
    assert_eq!(seen, appended);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_message_changes_nothing() {
    let db = Db::new().await;
    let nats = Nats::start().unwrap();
    let log = db.log().await;
    let other = log_with(&db, user(&nats, "sessions").await, &["signin.code.>"]).await;
    let mut follower = other.follow(&[Kind::Code], Position(0));
    let thief = user(&nats, "otp").await;
    for position in [1, 2, 7, u64::MAX, 0] {
        forge(&thief, position).await;
    }
    let nothing = tokio::time::timeout(Duration::from_millis(1_200), follower.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(other.head(), Position(0));
    for version in 0..3 {
        forge(&thief, version + 1).await;
        recorded(append(&log, &draft(stream(1), version)).await);
    }
    assert_eq!(follow_to(&mut follower, Position(3)).await, range(1..=3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_forged_messages_puts_no_poll_off() {
    let db = Db::quiet().await;
    let nats = Nats::start().unwrap();
    let log = db.log().await;
    recorded(append(&log, &draft(stream(1), 0)).await);
    let other = log_with(&db, user(&nats, "sessions").await, &["signin.code.>"]).await;
    for position in [1, u64::MAX] {
        let thief = user(&nats, "otp").await;
        let flood = tokio::spawn(async move {
            loop {
                forge(&thief, position).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let polls = statements(&db);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            let age = other.head_age();
            assert!(
                age < Duration::from_secs(1),
                "the head was last confirmed {age:?} ago"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        flood.abort();
        let polls = statements(&db) - polls;
        assert!(
            polls < 40,
            "{polls} transactions in two seconds, one for each forged message"
        );
    }
}

/// Transactions of this database so far.
fn statements(db: &Db) -> u64 {
    db.number("select xact_commit from pg_stat_database where datname = current_database();")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_to_its_end_however_rare_its_kind_is() {
    let db = Db::new().await;
    db.sql(
        "insert into log.entry select n, 'code', gen_random_uuid(), 1, gen_random_uuid(), null, 'code_issued',
             clock_timestamp(), '', '' from generate_series(1, 120000) as n;",
    );
    let log = db.log().await;
    assert_eq!(log.head(), Position(120_000));
    let page = log
        .read(Position(0), log.head(), &[Kind::Audit], 5_000)
        .await
        .unwrap();
    assert_eq!((page.entries.len(), page.upto), (0, Position(50_000)));
    let mut follower = log.follow(&[Kind::Audit], Position(0));
    assert_eq!(follow_to(&mut follower, Position(120_000)).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_never_past_the_known_head() {
    let db = Db::new().await;
    let log = db.log().await;
    for version in 0..5 {
        recorded(append(&log, &draft(stream(1), version)).await);
    }
    let page = log
        .read(Position(0), Position(u64::MAX), &[Kind::Code], 10)
        .await
        .unwrap();
    assert_eq!((page.entries.len(), page.upto), (5, Position(5)));
    let page = log
        .read(Position(0), Position(4), &[Kind::Code], 3)
        .await
        .unwrap();
    assert_eq!((page.entries.len(), page.upto), (3, Position(3)));
    let page = log
        .read(Position(3), Position(4), &[Kind::Code], 3)
        .await
        .unwrap();
    assert_eq!((page.entries.len(), page.upto), (1, Position(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_head_holds_all_that_was_committed_before() {
    let db = Db::new().await;
    let (log, other): (Log, Log) = (db.log().await, db.log().await);
    for version in 0..20 {
        let position = recorded(append(&log, &draft(stream(1), version)).await).position;
        assert_eq!(other.confirm_head().await.unwrap(), position);
        assert!(other.head_age() < Duration::from_secs(1));
    }
}
