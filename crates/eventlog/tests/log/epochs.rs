//! A log that is not the one that a process has read, and the epoch that makes it the true one.

use std::time::Duration;

use sekisho_eventlog::{AppendError, Log, LogFault, Position, ReadError, Via};
use sekisho_proto::Kind;
use tokio::time::timeout;

use super::support::{Db, Raw, append, call, draft, recorded, run, setting, state_of, stream};

/// How long anything may take to be noticed.
const SOON: Duration = Duration::from_secs(10);

/// Appends an entry to each of some streams.
async fn fill(db: &Db, streams: u128) {
    let log = db.log().await;
    for number in 0..streams {
        recorded(append(&log, &draft(stream(number), 0)).await);
    }
}

/// Waits until a process has noticed that the log went back.
async fn noticed(log: &Log) {
    let refused = async {
        while !matches!(log.confirm_head().await, Err(ReadError::WentBack)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, refused).await.unwrap();
}

/// Waits until a process knows an epoch at this position.
async fn knows_epoch(log: &Log, position: Position) {
    let known = async {
        while log.epoch() != position {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, known).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_under_a_running_process_is_refused_until_an_operator_begins_an_epoch() {
    let db = Db::new().await;
    fill(&db, 3).await;
    db.back_up();
    let log = db.log().await;
    recorded(append(&log, &draft(stream(100), 0)).await);
    db.restore();
    noticed(&log).await;
    assert_eq!(
        append(&log, &draft(stream(101), 0)).await,
        Err(AppendError::WentBack)
    );
    let read = log.entry(Position(1)).await;
    assert!(matches!(read, Err(ReadError::WentBack)), "{read:?}");
    let refused = log.start_epoch("test").await;
    assert_eq!(refused, Err(LogFault::WentBack));

    let epoch = db.log_as("operator").await.start_epoch("test").await.unwrap();
    assert_eq!(epoch.position, Position(4));
    knows_epoch(&log, epoch.position).await;
    assert_eq!(log.head(), epoch.position);
    let next = recorded(append(&log, &draft(stream(101), 0)).await);
    assert_eq!(next.position, Position(5));
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_has_grown_past_what_a_process_knows_is_noticed_by_its_entries() {
    let db = Db::new().await;
    fill(&db, 3).await;
    db.back_up();
    let log = db.log().await;
    recorded(append(&log, &draft(stream(100), 0)).await);
    db.restore();
    // Somebody who knows nothing of what was lost goes on with the copy, before this process has looked.
    let mut other = db.connection("otp").await;
    for number in 200..210 {
        run(&mut other, &call(&[Raw::new(number, 0)])).await.unwrap();
    }
    assert_eq!(
        append(&log, &draft(stream(101), 0)).await,
        Err(AppendError::WentBack)
    );
    noticed(&log).await;
    assert_eq!(db.entries(), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_of_old_does_not_make_a_copy_the_true_log() {
    let db = Db::new().await;
    let operator = db.log_as("operator").await;
    let first = operator.start_epoch("test").await.unwrap();
    assert_eq!(operator.epoch(), first.position, "it knows its own");
    db.back_up();
    let log = db.log().await;
    let second = operator.start_epoch("test").await.unwrap();
    knows_epoch(&log, second.position).await;
    db.restore();
    noticed(&log).await;
    // It would have accepted by now.
    for _ in 0..5 {
        let confirmed = log.confirm_head().await;
        assert!(matches!(confirmed, Err(ReadError::WentBack)), "{confirmed:?}");
    }
    let third = db.log_as("operator").await.start_epoch("test").await.unwrap();
    assert_eq!(third.position, second.position);
    timeout(SOON, async { while log.confirm_head().await.is_err() {} })
        .await
        .unwrap();
    recorded(append(&log, &draft(stream(1), 0)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_know_the_newest_epoch_appends_nothing() {
    let db = Db::new().await;
    db.with_combined_function();
    let mut late = db.connection("otp").await;
    db.log_as("operator").await.start_epoch("test").await.unwrap();
    let state = state_of(run(&mut late, &call(&[Raw::new(1, 0)])).await);
    assert_eq!(state, "SK005");
    let log = db.log().await;
    recorded(log.append(draft(stream(1), 0), &setting("known")).await);
    recorded(log.append(draft(stream(2), 0), &Via::Append).await);
    assert_eq!(db.secret(1), "known|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_says_nothing_of_what_it_knows_is_refused() {
    let db = Db::new().await;
    fill(&db, 1).await;
    let mut connection = db.connection("otp").await;
    for known in [
        "null",
        "row(1, null, 0)",
        "row(null, null, 0)",
        "row(0, null, null)",
        "row(1, gen_random_uuid(), 0)",
        "row(2, gen_random_uuid(), 0)",
    ] {
        let text = call(&[Raw::new(9, 0)]).replace("row(0, null, 0)", known);
        let state = state_of(run(&mut connection, &text).await);
        assert_eq!(state, "SK005", "{known}");
    }
    assert_eq!(db.entries(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_a_log_that_is_replaced_must_begin_anew() {
    let db = Db::new().await;
    fill(&db, 3).await;
    db.back_up();
    let log = db.log().await;
    recorded(append(&log, &draft(stream(100), 0)).await);
    let mut follower = log.follow(&[Kind::Code], Position(0));
    assert_eq!(follower.next().await.unwrap().entries.len(), 4);
    db.restore();
    noticed(&log).await;
    db.log_as("operator").await.start_epoch("test").await.unwrap();
    let next = timeout(SOON, follower.next()).await.unwrap();
    assert!(matches!(next, Err(ReadError::Replaced)), "{next:?}");
    let mut anew = log.follow(&[Kind::Code], Position(0));
    assert_eq!(anew.next().await.unwrap().entries.len(), 3);
}
