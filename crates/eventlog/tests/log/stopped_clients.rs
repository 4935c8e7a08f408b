//! A client that stops, wherever it stops, delays others at most 2 s.

use std::time::Duration;

use sekisho_eventlog::Log;
use sqlx::AssertSqlSafe;

use super::support::{
    Db, Point, Proxy, Raw, append, call, draft, recorded, run, setting, stream, timed, until,
};

/// Another process appends, and says how long that took.
async fn other_appends(log: &Log, number: u128) -> Duration {
    let (outcome, waited) = timed(append(log, &draft(stream(number), 0))).await;
    // Whoever is held up for longer than 2 s gets no receipt.
    recorded(outcome);
    waited
}

/// A process whose first append meets the point, and the entry that it wanted.
async fn stop_at(db: &Db, point: Point) -> (Proxy, tokio::task::JoinHandle<()>) {
    let proxy = Proxy::start(db.address(), Some(point)).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    let caller = tokio::spawn(async move {
        let _ = append(&log, &draft(stream(1), 0)).await;
    });
    proxy.reached().await;
    (proxy, caller)
}

async fn first_entry(db: &Db) {
    until("the entry of the stopped client", async || {
        (db.entries() >= 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_before_it_has_sent_all_delays_nobody() {
    let db = Db::quiet().await;
    let other = db.log().await;
    let _stopped = stop_at(&db, Point::InsideQuery).await;
    other_appends(&other, 2).await;
    assert_eq!(db.entries(), 1, "half a statement is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_last_byte_is_sent_the_commit_needs_nothing_more_of_its_client() {
    let db = Db::quiet().await;
    let other = db.log().await;
    let _stopped = stop_at(&db, Point::AfterQuery).await;
    other_appends(&other, 2).await;
    first_entry(&db).await;
    let stands = "select count(*) from log.entry where stream_id = '00000000-0000-0000-0000-000000000001';";
    assert_eq!(db.number(stands), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_in_the_queue_for_the_lock_delays_nobody() {
    let db = Db::quiet().await;
    let other = db.log().await;
    let mut looking = db.connection("postgres").await;
    let holder = db.lock_head().await;
    let _stopped = stop_at(&db, Point::AfterQuery).await;
    until("the stopped client in the queue", async || {
        (db.waiting(&mut looking).await > 0).then_some(())
    })
    .await;
    drop(holder);
    other_appends(&other, 2).await;
    first_entry(&db).await;
    assert_eq!(db.entries(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_after_the_commit_delays_nobody() {
    let db = Db::quiet().await;
    let other = db.log().await;
    let _stopped = stop_at(&db, Point::CommitHeldBack).await;
    assert_eq!(db.entries(), 1);
    other_appends(&other, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_a_combined_function_that_stops_delays_nobody() {
    let db = Db::quiet().await;
    db.with_combined_function();
    let other = db.log().await;
    let proxy = Proxy::start(db.address(), Some(Point::AfterQuery)).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    let _caller = tokio::spawn(async move { log.append(draft(stream(1), 0), &setting("one")).await });
    proxy.reached().await;
    other_appends(&other, 2).await;
    first_entry(&db).await;
    assert_eq!(db.secret(1), "one|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_does_not_hold_up_the_commit() {
    let db = Db::quiet().await;
    let other = db.log().await;
    let proxy = Proxy::start(db.address(), Some(Point::AfterQuery)).await;
    let mut stopped = connection_by(&db, &proxy).await;
    let batch: Vec<Raw> = (1_000..1_500).map(|number| Raw::new(number, 0)).collect();
    // All three columns: the longest answer that there is.
    let statement = call(&batch).replace("select outcomes from", "select * from");
    let _caller = tokio::spawn(async move { run(&mut stopped, &statement).await });
    proxy.reached().await;
    until("the batch of the stopped client", async || {
        (db.entries() >= 500).then_some(())
    })
    .await;
    other_appends(&other, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_puts_begin_before_its_append_and_stops_is_ended_within_a_second() {
    let db = Db::quiet().await;
    let other = db.log().await;
    let mut stopped = db.connection("otp").await;
    let statements = format!(
        "set idle_in_transaction_session_timeout = 0; begin; {}",
        call(&[Raw::new(1, 0)])
    );
    run(&mut stopped, &statements).await.unwrap();
    let waited = other_appends(&other, 2).await;
    assert!(
        waited > Duration::from_millis(500),
        "it did not hold the lock: {waited:?}"
    );
    assert!(run(&mut stopped, "commit").await.is_err());
    assert_eq!(db.entries(), 1, "what it did not commit is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_the_extended_protocol_that_never_syncs_delays_nobody() {
    let db = Db::quiet().await;
    let other = db.log().await;
    let proxy = Proxy::start(db.address(), Some(Point::BeforeSync)).await;
    let mut stopped = connection_by(&db, &proxy).await;
    let statement = call(&[Raw::new(1, 0)]);
    let _caller = tokio::spawn(async move {
        sqlx::query(AssertSqlSafe(statement))
            .fetch_all(&mut stopped)
            .await
    });
    proxy.reached().await;
    other_appends(&other, 2).await;
    assert_eq!(db.entries(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_lets_the_server_write_more_than_it_reads_is_cut_off() {
    let db = Db::quiet().await;
    let other = db.log().await;
    let proxy = Proxy::start(db.address(), Some(Point::AfterQuery)).await;
    let mut stopped = connection_by(&db, &proxy).await;
    // The append and a flood in one transaction: the server writes with the lock in its hand.
    let flood = "select repeat('x', 20000000)";
    let statements = format!("{}; {flood}", call(&[Raw::new(1, 0)]));
    let _caller = tokio::spawn(async move { run(&mut stopped, &statements).await });
    proxy.reached().await;
    until("the flood to hold the lock", async || {
        let mut looking = db.connection("postgres").await;
        run(&mut looking, "select from log.head for update nowait")
            .await
            .is_err()
            .then_some(())
    })
    .await;
    let begun = tokio::time::Instant::now();
    until("the lock", async || {
        let answer = append(&other, &draft(stream(2), 0)).await;
        answer.is_ok().then_some(())
    })
    .await;
    let waited = begun.elapsed();
    // The kernel looks at `tcp_user_timeout` (1 s) only when it probes; 1.7 s were seen.
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    assert_eq!(db.entries(), 1);
}

async fn connection_by(db: &Db, proxy: &Proxy) -> sqlx::PgConnection {
    use sqlx::ConnectOptions;
    let options: sqlx::postgres::PgConnectOptions = db.url_by("otp", proxy.address).parse().unwrap();
    options.connect().await.unwrap()
}
