//! The log's time.

use std::time::Duration;

use sekisho_eventlog::{AppendError, ConnectError, Log, LogEnded, LogFault, Outcome};
use time::OffsetDateTime;

use super::support::{Db, append, draft, recorded, stream};

fn set_clock(db: &Db, expression: &str) {
    db.sql(&format!(
        "create or replace function log.now() returns timestamptz language sql volatile as $$select {expression}$$;"
    ));
}

async fn test_log(db: &Db) -> Log {
    let settings = super::support::settings(db.url("otp"));
    Log::connect(sekisho_eventlog::LogSettings {
        test_clock: true,
        ..settings
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_time_never_goes_back() {
    let db = Db::new().await;
    let log = test_log(&db).await;
    let first = recorded(append(&log, &draft(stream(1), 0)).await);
    set_clock(&db, "clock_timestamp() - interval '4 s'");
    let second = recorded(append(&log, &draft(stream(1), 1)).await);
    assert_eq!(second.recorded_at, first.recorded_at);
    set_clock(&db, "clock_timestamp()");
    let third = recorded(append(&log, &draft(stream(1), 2)).await);
    assert!(third.recorded_at > second.recorded_at);
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_recorded_by_a_clock_that_is_far_behind_until_it_catches_up() {
    let db = Db::new().await;
    let log = test_log(&db).await;
    set_clock(&db, "clock_timestamp() + interval '1 hour'");
    recorded(append(&log, &draft(stream(1), 0)).await);
    set_clock(&db, "clock_timestamp()");
    let behind = append(&log, &draft(stream(2), 0)).await;
    assert_eq!(behind, Err(AppendError::ClockWentBack));
    assert_eq!(db.entries(), 1);
    set_clock(&db, "clock_timestamp() + interval '1 hour 1 s'");
    recorded(append(&log, &draft(stream(2), 0)).await);
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_accepts_a_clock_that_was_set_right() {
    let db = Db::new().await;
    let log = test_log(&db).await;
    set_clock(&db, "clock_timestamp() + interval '1 hour'");
    let wrong = recorded(append(&log, &draft(stream(1), 0)).await);
    set_clock(&db, "clock_timestamp()");
    let refused = log.accept_clock("test", wrong.recorded_at).await;
    assert_eq!(refused, Err(LogFault::Refused), "by who is no operator");
    let operator = Log::connect(sekisho_eventlog::LogSettings {
        test_clock: true,
        ..super::support::settings(db.url("operator"))
    })
    .await
    .unwrap();
    let accepted = operator.accept_clock("test", wrong.recorded_at).await.unwrap();
    let step = wrong.recorded_at - accepted.recorded_at;
    assert!(step > time::Duration::minutes(59), "{step}");
    let next = recorded(append(&log, &draft(stream(2), 0)).await);
    assert!(next.recorded_at >= accepted.recorded_at);
    assert!(next.recorded_at < wrong.recorded_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_without_a_fraction_is_read_like_any_other() {
    let db = Db::new().await;
    set_clock(&db, "timestamptz '2031-02-03 04:05:06+00'");
    let log = test_log(&db).await;
    let receipt = recorded(append(&log, &draft(stream(1), 0)).await);
    assert_eq!(
        receipt.recorded_at,
        OffsetDateTime::from_unix_timestamp(1_927_857_906).unwrap()
    );
    let entry = log.entry(receipt.position).await.unwrap().unwrap();
    assert_eq!(entry.recorded.recorded_at, receipt.recorded_at);
    recorded(append(&log, &draft(stream(1), 1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_clock_is_refused_unless_it_is_allowed() {
    let db = Db::new().await;
    set_clock(&db, "clock_timestamp() + interval '1 minute'");
    let refused = Log::connect(super::support::settings(db.url("otp"))).await;
    assert!(matches!(refused, Err(ConnectError::TestClock)), "{refused:?}");
    let log = test_log(&db).await;
    let ahead = log.now() - db.server_time();
    assert!(
        ahead > time::Duration::seconds(50) && ahead <= time::Duration::minutes(1),
        "{ahead}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_background_task_that_dies_is_noticed() {
    let db = Db::new().await;
    let log = test_log(&db).await;
    // Later than any moment that a program can hold: whoever reads it panics.
    set_clock(&db, "timestamptz '250000-01-01 00:00+00'");
    let ended = tokio::time::timeout(Duration::from_secs(10), log.ended()).await;
    assert_eq!(ended, Ok(LogEnded));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_follows_the_clock_of_the_log() {
    let db = Db::new().await;
    let log = test_log(&db).await;
    set_clock(&db, "clock_timestamp() + interval '1 day'");
    log.confirm_head().await.unwrap();
    let ahead = log.now() - db.server_time();
    assert!(ahead > time::Duration::hours(23), "{ahead}");
    assert!(log.head_age() < Duration::from_secs(2));
    let mut late = draft(stream(1), 0);
    late.not_after = Some(log.now() - Duration::from_secs(1));
    assert_eq!(append(&log, &late).await, Ok(Outcome::Expired));
}
