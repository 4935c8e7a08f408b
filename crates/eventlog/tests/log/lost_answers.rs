//! Outcomes that get lost between PostgreSQL and a process.

use std::time::Duration;

use sekisho_eventlog::{AppendError, Decided, Decision};

use super::support::{
    Db, Point, Proxy, Tally, append, context, draft, issued, recorded, run, setting, stream, timed, until,
};

/// A caller knows after 2 s; the rest is for a machine that does much else.
const KNOWN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_a_success_and_written_once() {
    for point in [Point::CutAfterCommit, Point::ShutdownAfterCommit] {
        let db = Db::new().await;
        let proxy = Proxy::start(db.address(), Some(point)).await;
        let log = db.log_at(db.url_by("otp", proxy.address)).await;
        let draft = draft(stream(1), 0);
        let receipt = recorded(append(&log, &draft).await);
        proxy.reached().await;
        assert_eq!(receipt.position.0, 1);
        assert_eq!(db.entries(), 1);
        db.assert_whole();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_combined_commit_whose_answer_is_lost_is_a_success_and_changes_its_table_once() {
    let db = Db::new().await;
    db.with_combined_function();
    let proxy = Proxy::start(db.address(), Some(Point::CutAfterCommit)).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    recorded(log.append(draft(stream(1), 0), &setting("first")).await);
    proxy.reached().await;
    assert_eq!(db.secret(1), "first|1");
    assert_eq!(db.entries(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_whose_answer_is_lost_is_recorded_once() {
    let db = Db::new().await;
    let proxy = Proxy::start(db.address(), Some(Point::CutAfterCommit)).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    let decide = |_: &_| Ok::<_, ()>(Decision::Record(issued(1)));
    let decided = log.decide::<Tally, ()>(&context(1), decide).await.unwrap();
    assert!(matches!(decided, Decided::Recorded { recorded, .. } if recorded.version.0 == 1));
    proxy.reached().await;
    assert_eq!(db.entries(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_answered_before_the_server_says_that_it_has_committed() {
    let db = Db::new().await;
    let proxy = Proxy::start(db.address(), Some(Point::CommitHeldBack)).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    let (outcome, waited) = timed(append(&log, &draft(stream(1), 0))).await;
    assert_eq!(outcome, Err(AppendError::Unavailable));
    assert!(waited < KNOWN, "{waited:?}");
    // Unknown is what it was: it does stand there. The next one goes by another connection.
    assert_eq!(db.entries(), 1);
    recorded(append(&log, &draft(stream(1), 1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_came_later_does_not_wait_for_a_lost_answer() {
    let db = Db::quiet().await;
    let proxy = Proxy::start(db.address(), Some(Point::AfterQuery)).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    let stuck = tokio::spawn({
        let log = log.clone();
        async move { append(&log, &draft(stream(1), 0)).await }
    });
    proxy.reached().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Held up by it, this one would get no receipt either.
    recorded(append(&log, &draft(stream(2), 0)).await);
    assert_eq!(stuck.await.unwrap(), Err(AppendError::Unavailable));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_a_caller_knows_within_two_seconds() {
    let db = Db::quiet().await;
    let log = {
        let proxy = Proxy::start(db.address(), None).await;
        db.log_at(db.url_by("otp", proxy.address)).await
    };
    let (outcome, waited) = timed(append(&log, &draft(stream(1), 0))).await;
    assert_eq!(outcome, Err(AppendError::Unavailable));
    assert!(waited < KNOWN, "{waited:?}");
    let (read, waited) = timed(log.load::<Tally>(stream(1))).await;
    assert!(read.is_err());
    assert!(waited < KNOWN, "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_come_after_the_connections_were_ended_find_others() {
    let db = Db::quiet().await;
    let log = db.log().await;
    recorded(append(&log, &draft(stream(1), 0)).await);
    let read_all = async || {
        let reads = (0..8).map(|_| log.load::<Tally>(stream(1)));
        futures::future::join_all(reads).await
    };
    // A read that is over before the next begins would leave it its connection: so all eight wait for one lock.
    let read_at_once = async || {
        let (mut onlooker, mut locking) = (db.connection("postgres").await, db.connection("postgres").await);
        run(&mut locking, "begin; lock table log.stream").await.unwrap();
        let (reads, ()) = tokio::join!(read_all(), async {
            until("eight reads to wait", async || {
                (db.waiting(&mut onlooker).await == 8).then_some(())
            })
            .await;
            run(&mut locking, "commit").await.unwrap();
        });
        assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    };
    read_at_once().await;
    let end_all = || {
        let ended = db.sql(
            "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
             where usename = 'sekisho_otp' and datname = current_database();",
        );
        assert!(ended.parse::<u64>().unwrap() >= 8, "{ended}");
    };
    end_all();
    let reads = read_all().await;
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    read_at_once().await;
    // A service's own reads of its tables are done once: by now the poll of the head has met what was ended.
    end_all();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let own = (0..8).map(|_| sqlx::query("select 1").execute(log.pool()));
    let own = futures::future::join_all(own).await;
    assert!(own.iter().all(Result::is_ok), "{own:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_on_after_a_network_that_went_silent_is_mended() {
    let db = Db::quiet().await;
    let proxy = Proxy::start(db.address(), None).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    recorded(append(&log, &draft(stream(1), 0)).await);
    // Every reading connection is in use when the network breaks.
    let (mut onlooker, mut locking) = (db.connection("postgres").await, db.connection("postgres").await);
    run(&mut locking, "begin; lock table log.stream").await.unwrap();
    let reads = (0..20).map(|_| {
        let log = log.clone();
        tokio::spawn(async move { log.load::<Tally>(stream(1)).await.is_ok() })
    });
    let reads = futures::future::join_all(reads);
    until("eight reads to wait", async || {
        (db.waiting(&mut onlooker).await == 8).then_some(())
    })
    .await;
    proxy.break_network();
    run(&mut locking, "commit").await.unwrap();
    assert!(!reads.await.into_iter().any(Result::unwrap));
    proxy.mend_network();
    let mended = tokio::time::Instant::now();
    until("reads to work again", async || {
        log.load::<Tally>(stream(1)).await.ok()
    })
    .await;
    let outage = mended.elapsed();
    assert!(outage < Duration::from_secs(4), "{outage:?}");
}
