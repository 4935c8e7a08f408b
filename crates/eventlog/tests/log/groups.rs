//! Combined functions that are committed together.

use sekisho_eventlog::{AppendError, Outcome, Via};
use tokio::task::JoinSet;

use super::support::{Db, Point, Proxy, draft, grouped, recorded, setting, stream, until};

/// Calls the function for so many streams at once while the log's lock is held, and lets them in.
async fn at_once(
    db: &Db,
    calls: impl Iterator<Item = (u128, u64, Via)>,
) -> Vec<Result<Outcome, AppendError>> {
    let log = db.log().await;
    let mut looking = db.connection("postgres").await;
    let holder = db.lock_head().await;
    let mut callers = JoinSet::new();
    for (number, version, via) in calls {
        let log = log.clone();
        callers.spawn(async move { log.append(draft(stream(number), version), &via).await });
    }
    until("the first group", async || {
        (db.waiting(&mut looking).await > 0).then_some(())
    })
    .await;
    drop(holder);
    callers.join_all().await
}

const GROUPS: &str = "select count(distinct xmin::text) from log.entry;";
const LARGEST: &str =
    "select max(entries) from (select count(*) as entries from log.entry group by xmin::text) as together;";

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_while_a_group_commits_is_the_next_group() {
    let db = Db::new().await;
    db.with_combined_function();
    let outcomes = at_once(&db, (0..150).map(|number| (number, 0, grouped("x")))).await;
    for outcome in outcomes {
        recorded(outcome);
    }
    assert_eq!(db.number("select count(*) from test.secret;"), 150);
    let groups = db.number(GROUPS);
    assert!((10..=12).contains(&groups), "{groups} transactions for 150 calls");
    assert_eq!(db.number(LARGEST), 16);
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_not_to_be_grouped_is_committed_alone() {
    let db = Db::new().await;
    db.with_combined_function();
    let outcomes = at_once(&db, (0..20).map(|number| (number, 0, setting("x")))).await;
    for outcome in outcomes {
        recorded(outcome);
    }
    assert_eq!(db.number(GROUPS), 20);
}

/// Two of them are refused, for different reasons; nobody else notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_in_a_group_is_of_one_call_alone() {
    let db = Db::new().await;
    db.with_combined_function();
    let conflicting = 7;
    let unknown = Via::Function {
        name: "test.no_such_function",
        arguments: [].into(),
        grouped: true,
    };
    let calls = (0..20).map(|number| match number {
        7 => (conflicting, 5, grouped("x")),
        11 => (11, 0, unknown.clone()),
        _ => (number, 0, grouped("x")),
    });
    let outcomes = at_once(&db, calls).await;
    let of =
        |wanted: fn(&Result<Outcome, AppendError>) -> bool| outcomes.iter().filter(|it| wanted(it)).count();
    assert_eq!(of(|outcome| matches!(outcome, Ok(Outcome::Recorded(_)))), 18);
    assert_eq!(of(|outcome| *outcome == Ok(Outcome::Conflict)), 1);
    assert_eq!(of(Result::is_err), 1);
    assert_eq!(db.secret(conflicting), "");
    assert_eq!(db.entries(), 18);
    db.assert_whole();
}

/// A lock that nobody gets speaks of all of them: nobody tries each by itself while everybody waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_gets_no_lock_does_not_fall_apart() {
    let db = Db::new().await;
    db.with_combined_function();
    let name = db.sql("select current_database();");
    db.sql(&format!(
        "alter role sekisho_otp in database {name} set lock_timeout = '100ms';"
    ));
    let proxy = Proxy::start(db.address(), None).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    let holder = db.lock_head().await;
    let before = proxy.connections();
    let calls = (0..20).map(|number| {
        let log = log.clone();
        async move { log.append(draft(stream(number), 0), &grouped("x")).await }
    });
    for outcome in futures::future::join_all(calls).await {
        assert_eq!(outcome, Err(AppendError::Unavailable));
    }
    drop(holder);
    // Whatever is not answered by a state of ours closes its connection, so they count the transactions.
    let tried = proxy.connections() - before;
    assert!((2..=3).contains(&tried), "{tried} transactions for 20 calls");
    recorded(log.append(draft(stream(100), 0), &grouped("y")).await);
    assert_eq!(db.entries(), 1);
}

#[tokio::test]
async fn a_group_whose_answer_is_lost_is_written_once() {
    let db = Db::new().await;
    db.with_combined_function();
    let proxy = Proxy::start(db.address(), Some(Point::CutAfterCommit)).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    // All are in the queue before its task looks: the first group has as many as there is room for.
    let calls = (0..40).map(|number| {
        let log = log.clone();
        async move { log.append(draft(stream(number), 0), &grouped("first")).await }
    });
    for outcome in futures::future::join_all(calls).await {
        recorded(outcome);
    }
    proxy.reached().await;
    assert_eq!(db.secret(1), "first|1");
    assert_eq!(db.entries(), 40);
    let first = "select count(*) from log.entry where xmin::text = (select xmin::text from log.entry where position = 1);";
    assert_eq!(db.number(first), 16);
    db.assert_whole();
}
