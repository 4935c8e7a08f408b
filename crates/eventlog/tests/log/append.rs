//! Positions, versions and the outcome of each entry.

use std::time::Duration;

use sekisho_eventlog::{AppendError, Outcome};
use time::OffsetDateTime;

use super::support::{Db, Raw, append, draft, outcomes, recorded, stream};

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_on_one_head_leave_no_gap() {
    let db = Db::new().await;
    let writers = [db.log().await, db.log_as("otp").await];
    let mut tasks = tokio::task::JoinSet::new();
    for (number, log) in (0..).zip(writers) {
        for lane in 0..20 {
            let log = log.clone();
            tasks.spawn(async move {
                for version in 0..20 {
                    recorded(append(&log, &draft(stream(number * 100 + lane), version)).await);
                }
            });
        }
    }
    tasks.join_all().await;
    assert_eq!(db.entries(), 800);
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_of_one_version_one_wins() {
    let db = Db::new().await;
    let (one, other) = (db.log().await, db.log().await);
    for version in 0..50 {
        let (first, second) = (draft(stream(1), version), draft(stream(1), version));
        let (first, second) = tokio::join!(append(&one, &first), append(&other, &second));
        let outcomes = [first.unwrap(), second.unwrap()];
        let won = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Recorded(_)))
            .count();
        assert_eq!(won, 1, "{outcomes:?}");
        assert!(outcomes.contains(&Outcome::Conflict));
    }
    assert_eq!(db.entries(), 50);
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sees_its_own_entries() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    let batch = [
        Raw::new(1, 0),
        Raw::new(2, 0),
        Raw::new(1, 1),
        Raw::new(1, 1),
        Raw::new(2, 0),
    ];
    let outcomes = outcomes(&mut otp, &batch).await;
    assert_eq!(
        outcomes,
        ["appended", "appended", "appended", "conflict", "conflict"]
    );
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_entry_among_500_is_refused_alone() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    let good = Raw::new(999_999, 0);
    let long = |bytes: usize| format!("convert_to(repeat('x', {bytes}), 'UTF8')");
    let bad = [
        Raw {
            kind: "'account'".to_owned(),
            ..good.clone()
        },
        Raw {
            kind: "'system'".to_owned(),
            ..good.clone()
        },
        Raw {
            kind: "null".to_owned(),
            ..good.clone()
        },
        Raw {
            stream: "null".to_owned(),
            ..good.clone()
        },
        Raw {
            event_id: "null".to_owned(),
            ..good.clone()
        },
        Raw {
            event_type: "null".to_owned(),
            ..good.clone()
        },
        Raw {
            event_type: "''".to_owned(),
            ..good.clone()
        },
        Raw {
            event_type: "'code issued'".to_owned(),
            ..good.clone()
        },
        Raw {
            event_type: "repeat('x', 64)".to_owned(),
            ..good.clone()
        },
        Raw {
            payload: "null".to_owned(),
            ..good.clone()
        },
        Raw {
            metadata: "null".to_owned(),
            ..good.clone()
        },
        Raw {
            payload: long(8193),
            ..good.clone()
        },
        Raw {
            payload: long(8000),
            metadata: long(193),
            ..good.clone()
        },
        Raw {
            carries: "null".to_owned(),
            ..good.clone()
        },
    ];
    for (nth, bad) in (0..).zip(bad) {
        let mut batch: Vec<Raw> = (0..500).map(|n| Raw::new(nth * 1_000 + n, 0)).collect();
        let whose = bad.clone();
        batch[250] = bad;
        let outcomes = outcomes(&mut otp, &batch).await;
        assert_eq!(outcomes[250], "refused", "{whose:?}");
        assert_eq!(
            outcomes.iter().filter(|outcome| *outcome == "appended").count(),
            499
        );
    }
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_exactly_8_kb_is_not_too_large() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    let payload = "convert_to(repeat('x', 8192), 'UTF8')".to_owned();
    let entry = Raw {
        payload,
        ..Raw::new(1, 0)
    };
    assert_eq!(outcomes(&mut otp, &[entry]).await, ["appended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_would_refuse_does_not_travel_with_others() {
    let db = Db::new().await;
    let log = db.log().await;
    let mut too_large = draft(stream(1), 0);
    too_large.metadata.actor = "x".repeat(8200);
    let mut badly_named = draft(stream(2), 0);
    badly_named.event_type = "Code Issued";
    let mut before_all_time = draft(stream(3), 0);
    before_all_time.not_after = Some(OffsetDateTime::UNIX_EPOCH - Duration::from_hours(24 * 365 * 3_000));
    let good = draft(stream(4), 0);
    let answers = tokio::join!(
        append(&log, &too_large),
        append(&log, &badly_named),
        append(&log, &before_all_time),
        append(&log, &good),
    );
    assert_eq!(answers.0, Err(AppendError::Refused));
    assert_eq!(answers.1, Err(AppendError::Refused));
    assert_eq!(answers.2, Ok(Outcome::Expired));
    recorded(answers.3);
    assert_eq!(db.entries(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_recorded_once_however_often_and_late_it_is_submitted() {
    let db = Db::new().await;
    let log = db.log().await;
    let mut first = draft(stream(1), 0);
    let receipt = recorded(append(&log, &first).await);
    for version in 1..70 {
        recorded(append(&log, &draft(stream(1), version)).await);
    }
    // The stream's loads begin at entry 64 now, and the head is far away.
    // Past its time as well: that it stands there is looked at first.
    first.not_after = Some(log.now() - Duration::from_secs(1));
    assert_eq!(recorded(append(&log, &first).await), receipt);
    assert_eq!(recorded(append(&db.log().await, &first).await), receipt);
    assert_eq!(db.entries(), 70);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_event_at_a_taken_version_is_a_conflict() {
    let db = Db::new().await;
    let log = db.log().await;
    recorded(append(&log, &draft(stream(1), 0)).await);
    assert_eq!(append(&log, &draft(stream(1), 0)).await, Ok(Outcome::Conflict));
    assert_eq!(append(&log, &draft(stream(1), 2)).await, Ok(Outcome::Conflict));
    assert_eq!(append(&log, &draft(stream(2), 1)).await, Ok(Outcome::Conflict));
    assert_eq!(db.entries(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_not_recorded_after_its_time() {
    let db = Db::new().await;
    let log = db.log().await;
    let mut late = draft(stream(1), 0);
    late.not_after = Some(log.now() - Duration::from_millis(1));
    assert_eq!(append(&log, &late).await, Ok(Outcome::Expired));
    late.not_after = Some(log.now() + Duration::from_secs(10));
    recorded(append(&log, &late).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_told_before_the_time_and_the_time_before_a_refusal() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    let past = "'2000-01-01'".to_owned();
    let foreign = Raw {
        kind: "'account'".to_owned(),
        not_after: past.clone(),
        ..Raw::new(1, 0)
    };
    let conflicting = Raw {
        not_after: past,
        ..Raw::new(1, 1)
    };
    assert_eq!(
        outcomes(&mut otp, &[conflicting, foreign]).await,
        ["conflict", "expired"]
    );
}
