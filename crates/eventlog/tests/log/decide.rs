//! Load → fold → decide → append → on conflict again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sekisho_eventlog::{Context, DecideError, Decided, Decision, Facts, FlowId, Log, LogFault, Version};

use super::support::{Db, Point, Proxy, Tally, append, context, draft, issued, recorded, setting, stream};

#[expect(clippy::unnecessary_wraps, reason = "what a decider answers")]
fn record(facts: &Facts<Tally>) -> Result<Decision<sekisho_proto::events::CodeEvent>, ()> {
    assert_eq!(facts.state.count, facts.version.0);
    Ok(Decision::Record(issued(facts.version.0 + 1)))
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_of_two_processes_on_one_stream_all_succeed() {
    let db = Db::new().await;
    let logs = [db.log().await, db.log().await];
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..60 {
        let log = logs[number % 2].clone();
        tasks.spawn(async move { log.decide(&context(1), record).await.unwrap() });
    }
    let mut versions: Vec<u64> = tasks.join_all().await.iter().map(version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=60).collect::<Vec<u64>>());
    db.assert_whole();
}

fn version(decided: &Decided<Tally>) -> u64 {
    match decided {
        Decided::Recorded {
            recorded,
            event,
            before,
        } => {
            assert_eq!(*event, issued(recorded.version.0));
            assert_eq!(before.count + 1, recorded.version.0);
            recorded.version.0
        }
        other => panic!("not recorded: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn within_one_process_a_stream_is_decided_by_one_at_a_time() {
    let db = Db::new().await;
    let log = db.log().await;
    let calls = std::sync::Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (log, calls) = (log.clone(), std::sync::Arc::clone(&calls));
        tasks.spawn(async move {
            let count = |facts: &_| {
                calls.fetch_add(1, Ordering::SeqCst);
                record(facts)
            };
            log.decide(&context(1), count).await.unwrap();
        });
    }
    tasks.join_all().await;
    assert_eq!(calls.load(Ordering::SeqCst), 50, "a decision was made twice");
    assert_eq!(db.entries(), 50);
}

/// A command of a flow with its digest.
fn command(log: &Log, digest: u8) -> Context {
    Context {
        flow: Some(FlowId::mint(log.head())),
        digest: Some([digest; 32]),
        ..context(1)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equal_digest_gets_the_first_answer() {
    let db = Db::new().await;
    let (log, other) = (db.log().await, db.log().await);
    let command = command(&log, 1);
    let first = log.decide(&command, record).await.unwrap();
    let Decided::Recorded { recorded, event, .. } = first else {
        panic!("{first:?}")
    };
    for again in [&log, &other] {
        let repeated = again
            .decide(&command, |_: &Facts<Tally>| -> Result<_, ()> {
                panic!("decided again")
            })
            .await;
        assert_eq!(
            repeated.unwrap(),
            Decided::Repeated {
                recorded,
                event: event.clone()
            }
        );
    }
    let new_input = Context {
        digest: Some([2; 32]),
        ..command.clone()
    };
    assert!(matches!(
        log.decide(&new_input, record).await.unwrap(),
        Decided::Recorded { .. }
    ));
    let other_flow = Context {
        flow: Some(FlowId::mint(log.head())),
        ..command.clone()
    };
    assert!(matches!(
        log.decide(&other_flow, record).await.unwrap(),
        Decided::Recorded { .. }
    ));
    assert_eq!(db.entries(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_on_two_replicas_is_one_event() {
    let db = Db::new().await;
    let (log, other) = (db.log().await, db.log().await);
    for digest in 0..20 {
        let command = command(&log, digest);
        let (one, two) = tokio::join!(log.decide(&command, record), other.decide(&command, record));
        let places: Vec<Version> = [one.unwrap(), two.unwrap()]
            .iter()
            .map(|decided| match decided {
                Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. } => recorded.version,
                Decided::Nothing(_) => panic!("nothing was decided"),
            })
            .collect();
        assert_eq!(places[0], places[1]);
    }
    assert_eq!(db.entries(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_passes_through_and_writes_nothing() {
    let db = Db::new().await;
    let log = db.log().await;
    let rejected = log.decide::<Tally, _>(&context(1), |_| Err("too many")).await;
    assert!(
        matches!(rejected, Err(DecideError::Rejected("too many"))),
        "{rejected:?}"
    );
    let nothing = log
        .decide::<Tally, ()>(&context(1), |_| Ok(Decision::Nothing))
        .await
        .unwrap();
    assert_eq!(nothing, Decided::Nothing(Tally::default()));
    assert_eq!(db.entries(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_not_recorded_after_its_moment() {
    let db = Db::new().await;
    let log = db.log().await;
    let late = |facts: &Facts<Tally>| {
        Ok::<_, ()>(Decision::RecordBefore(
            issued(1),
            facts.now - Duration::from_secs(1),
        ))
    };
    assert!(matches!(
        log.decide(&context(1), late).await,
        Err(DecideError::Expired)
    ));
    let in_time = |facts: &Facts<Tally>| {
        Ok::<_, ()>(Decision::RecordBefore(
            issued(1),
            facts.now + Duration::from_secs(10),
        ))
    };
    assert!(log.decide(&context(1), in_time).await.is_ok());
    assert_eq!(db.entries(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_by_a_combined_function_meets_conflicts_like_any_other() {
    let db = Db::new().await;
    db.with_combined_function();
    let (log, other) = (db.log().await, db.log().await);
    let mut first = true;
    let by_function = Context {
        via: setting("new"),
        ..context(1)
    };
    let rival = draft(stream(1), 0);
    let handle = tokio::runtime::Handle::current();
    let decided = tokio::task::spawn_blocking(move || {
        handle.block_on(log.decide(&by_function, |facts: &Facts<Tally>| {
            if std::mem::take(&mut first) {
                // Another process is faster, after the load and before the append.
                futures::executor::block_on(async {
                    recorded(append(&other, &rival).await);
                });
            }
            record(facts)
        }))
    });
    assert_eq!(version(&decided.await.unwrap().unwrap()), 2);
    assert_eq!(db.secret(1), "new|2");
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_told_as_unknown() {
    let db = Db::new().await;
    let proxy = Proxy::start(db.address(), Some(Point::CommitHeldBack)).await;
    let log = db.log_at(db.url_by("otp", proxy.address)).await;
    let command = command(&log, 1);
    let unknown = log.decide(&command, record).await;
    assert!(
        matches!(unknown, Err(DecideError::Log(LogFault::Unavailable))),
        "{unknown:?}"
    );
    // It does stand there: the same command again is answered with it.
    let again = log.decide(&command, record).await.unwrap();
    assert!(
        matches!(again, Decided::Repeated { recorded, .. } if recorded.version == Version(1)),
        "{again:?}"
    );
    assert_eq!(db.entries(), 1);
}
