//! An append is one statement of the simple query protocol, in read committed, durable.

use sekisho_eventlog::AppendError;
use sqlx::{AssertSqlSafe, Row};

use super::support::{Db, Raw, append, call, draft, recorded, run, setting, state_of, stream};

#[tokio::test(flavor = "multi_thread")]
async fn only_read_committed_is_accepted() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    for isolation in ["repeatable read", "serializable"] {
        let statement = format!("set default_transaction_isolation = '{isolation}'");
        run(&mut otp, &statement).await.unwrap();
        assert_eq!(state_of(run(&mut otp, &call(&[Raw::new(1, 0)])).await), "SK004");
    }
    assert_eq!(db.entries(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_inside_a_transaction_of_the_client_is_refused() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    run(&mut otp, "begin").await.unwrap();
    assert_eq!(state_of(run(&mut otp, &call(&[Raw::new(1, 0)])).await), "SK004");
    // Refused before it took the lock, although the transaction is still open.
    recorded(append(&db.log().await, &draft(stream(1), 0)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extended_protocol_is_refused() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    let statement = call(&[Raw::new(1, 0)]);
    for _ in 0..20 {
        let answer = sqlx::query(AssertSqlSafe(statement.clone()))
            .fetch_all(&mut otp)
            .await;
        assert_eq!(state_of(answer), "SK004");
    }
    assert_eq!(db.entries(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_durable_and_its_transaction_short_whatever_the_client_sets() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    let statements = format!(
        "set synchronous_commit = off; set idle_in_transaction_session_timeout = 0; {};
         select current_setting('synchronous_commit'), current_setting('idle_in_transaction_session_timeout')",
        call(&[Raw::new(1, 0)])
    );
    let rows = run(&mut otp, &statements).await.unwrap();
    let settings: (String, String) = (rows[1].get(0), rows[1].get(1));
    assert_eq!(settings, ("on".to_owned(), "1s".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_a_batch_is_refused() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    let too_many: Vec<Raw> = (0..501).map(|n| Raw::new(n, 0)).collect();
    assert_eq!(state_of(run(&mut otp, &call(&too_many)).await), "SK004");
    let uneven = call(&[Raw::new(1, 0)]).replace("array[0]::bigint[]", "array[0, 1]::bigint[]");
    assert_eq!(state_of(run(&mut otp, &uneven).await), "SK004");
    let without_flows = call(&[Raw::new(1, 0)]).replace("array[null]::uuid[]", "null::uuid[]");
    assert_eq!(state_of(run(&mut otp, &without_flows).await), "SK004");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impossible_version_of_a_stream_that_does_not_exist_spoils_no_batch() {
    let db = Db::new().await;
    let mut otp = db.connection("otp").await;
    let mut impossible = Raw::new(1, 0);
    impossible.expected = "-1".to_owned();
    let rows = run(&mut otp, &call(&[impossible, Raw::new(2, 0)])).await.unwrap();
    assert_eq!(rows[0].get::<Vec<String>, _>(0), ["conflict", "appended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_reads_backslashes_otherwise_changes_no_byte() {
    let db = Db::new().await;
    db.with_combined_function();
    db.alter_database("set standard_conforming_strings = off");
    let log = db.log().await;
    let mut backslashes = draft(stream(1), 0);
    backslashes.metadata.actor = "\\x41' \\\\ \\'\n".to_owned();
    let receipt = recorded(append(&log, &backslashes).await);
    let entry = log.entry(receipt.position).await.unwrap().unwrap();
    assert_eq!(entry.metadata(), backslashes.metadata);
    recorded(log.append(draft(stream(2), 0), &setting("\\x41' \\\\")).await);
    assert_eq!(db.secret(2), "\\x41' \\\\|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_is_left_for_another_connection() {
    let db = Db::new().await;
    db.alter_database("set default_transaction_read_only = on");
    let log = db.log().await;
    assert_eq!(
        append(&log, &draft(stream(1), 0)).await,
        Err(AppendError::Unavailable)
    );
    db.alter_database("reset default_transaction_read_only");
    recorded(append(&log, &draft(stream(1), 0)).await);
}
