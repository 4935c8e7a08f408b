//! Functions that change a table together with an event.

use std::time::Duration;

use sekisho_eventlog::{AppendError, Argument, Outcome};

use super::support::{Db, append, draft, recorded, setting, stream};

#[tokio::test(flavor = "multi_thread")]
async fn a_combined_function_changes_its_table_together_with_the_event() {
    let db = Db::new().await;
    db.with_combined_function();
    let log = db.log().await;
    let receipt = recorded(log.append(draft(stream(1), 0), &setting("it's \\ one")).await);
    assert_eq!(db.secret(1), "it's \\ one|1");
    assert_eq!(receipt.position, log.head());
    recorded(log.append(draft(stream(1), 1), &setting("two")).await);
    assert_eq!(db.secret(1), "two|2");
    db.assert_whole();
}

/// A function takes over the collation of its arguments, and an index of another one is of no use.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_compared_as_columns_are() {
    let db = Db::new().await;
    let literal = Argument::Text("it's".to_owned()).literal();
    assert_eq!(
        db.sql(&format!("select collation for ({literal});")),
        "\"default\""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_inside_a_combined_function_leaves_its_table_alone() {
    let db = Db::new().await;
    db.with_combined_function();
    let log = db.log().await;
    recorded(log.append(draft(stream(1), 0), &setting("first")).await);

    let conflict = log.append(draft(stream(1), 5), &setting("conflict")).await;
    assert_eq!(conflict, Ok(Outcome::Conflict));
    let mut late = draft(stream(1), 1);
    late.not_after = Some(log.now() - Duration::from_secs(1));
    assert_eq!(log.append(late, &setting("late")).await, Ok(Outcome::Expired));
    let foreign = db.log_as("sessions").await;
    let refused = foreign.append(draft(stream(1), 1), &setting("foreign")).await;
    assert_eq!(refused, Err(AppendError::Refused));
    assert_eq!(db.secret(1), "first|1");

    // The connection is as good as before.
    recorded(log.append(draft(stream(1), 1), &setting("second")).await);
    assert_eq!(db.secret(1), "second|2");
    assert_eq!(db.entries(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_combined_function_that_is_called_again_leaves_a_newer_change_alone() {
    let db = Db::new().await;
    db.with_combined_function();
    let log = db.log().await;
    let first = draft(stream(1), 0);
    let receipt = recorded(log.append(first.clone(), &setting("first")).await);
    recorded(log.append(draft(stream(1), 1), &setting("second")).await);
    recorded(append(&log, &draft(stream(1), 2)).await);

    assert_eq!(recorded(log.append(first, &setting("first")).await), receipt);
    assert_eq!(db.secret(1), "second|2");
    assert_eq!(db.entries(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn combined_functions_of_many_callers_and_batches_keep_the_order() {
    let db = Db::new().await;
    db.with_combined_function();
    let (one, other) = (db.log().await, db.log().await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let log = [&one, &other][number as usize % 2].clone();
        tasks.spawn(async move {
            recorded(log.append(draft(stream(number), 0), &setting("x")).await);
            recorded(append(&log, &draft(stream(number), 1)).await);
        });
    }
    tasks.join_all().await;
    assert_eq!(db.number("select count(*) from test.secret;"), 40);
    assert_eq!(db.entries(), 80);
    db.assert_whole();
    let connections = "select count(*) from pg_stat_activity where application_name = 'test/1'
        and datname = current_database() and backend_type = 'client backend';";
    // Two handles: a batch's and a function's connection each, and reading ones.
    assert!(db.number(connections) <= 2 * (2 + 8));
}
