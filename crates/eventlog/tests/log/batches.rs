//! Group commit and the queue before it.

use std::time::Duration;

use sekisho_eventlog::AppendError;
use tokio::task::JoinSet;

use super::support::{Db, append, draft, recorded, stream, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_while_a_batch_commits_is_the_next_batch() {
    let db = Db::new().await;
    let log = db.log().await;
    let mut looking = db.connection("postgres").await;
    let holder = db.lock_head().await;
    let mut callers = JoinSet::new();
    for number in 0..400 {
        let log = log.clone();
        callers.spawn(async move { recorded(append(&log, &draft(stream(number), 0)).await) });
    }
    until("the first batch", async || {
        (db.waiting(&mut looking).await > 0).then_some(())
    })
    .await;
    drop(holder);
    callers.join_all().await;
    let transactions = db.number("select count(distinct xmin::text) from log.entry;");
    assert!(transactions <= 4, "{transactions} transactions for 400 entries");
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_at_most_500_entries() {
    let db = Db::new().await;
    let log = db.log().await;
    let mut looking = db.connection("postgres").await;
    let holder = db.lock_head().await;
    let mut callers = JoinSet::new();
    for number in 0..1_200 {
        let log = log.clone();
        callers.spawn(async move { recorded(append(&log, &draft(stream(number), 0)).await) });
    }
    until("the first batch", async || {
        (db.waiting(&mut looking).await > 0).then_some(())
    })
    .await;
    drop(holder);
    callers.join_all().await;
    let largest =
        "select max(entries) from (select count(*) as entries from log.entry group by xmin::text) as batch;";
    assert!(db.number(largest) <= 500);
    assert_eq!(db.entries(), 1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_has_given_up_is_dropped_unsent() {
    let db = Db::new().await;
    let log = db.log().await;
    let mut looking = db.connection("postgres").await;
    let holder = db.lock_head().await;
    let in_flight = tokio::spawn({
        let log = log.clone();
        async move { append(&log, &draft(stream(1), 0)).await }
    });
    until("the first batch", async || {
        (db.waiting(&mut looking).await > 0).then_some(())
    })
    .await;
    let patience = Duration::from_millis(50);
    let gave_up = tokio::time::timeout(patience, append(&log, &draft(stream(2), 0))).await;
    assert!(gave_up.is_err());
    drop(holder);
    recorded(in_flight.await.unwrap());
    recorded(append(&log, &draft(stream(3), 0)).await);
    let streams = db.sql("select right(stream_id::text, 1) from log.entry order by position;");
    assert_eq!(streams, "1\n3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_answers_busy_at_once() {
    // 4,096 wait in the queue and at most 500 are on their way: so many are refused while nothing moves.
    const REFUSED: usize = 6_000 - 4_096 - 500;
    let db = Db::alone().await;
    let log = db.log().await;
    let holder = db.lock_head().await;
    let mut callers = JoinSet::new();
    for number in 0..6_000 {
        let log = log.clone();
        callers.spawn(async move { append(&log, &draft(stream(number), 0)).await });
    }
    for _ in 0..REFUSED {
        let refused = callers.join_next().await.unwrap().unwrap();
        assert_eq!(refused, Err(AppendError::Busy));
    }
    drop(holder);
    let answers = callers.join_all().await;
    let more = answers
        .iter()
        .filter(|answer| **answer == Err(AppendError::Busy))
        .count();
    assert!(more <= 500, "{more}");
    let written = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(db.entries(), written as u64);
    db.assert_whole();
}
