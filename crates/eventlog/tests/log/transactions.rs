//! An append is one statement of the simple query protocol, in read committed, durable.

use sqlx::{AssertSqlSafe, Row};

use super::support::{Db, Raw, append, call, draft, recorded, run, state_of, stream};

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
}
