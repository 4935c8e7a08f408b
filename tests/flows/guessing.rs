//! Many wrong passwords at once.

use anyhow::Result;
use futures::future::join_all;
use sekisho_proto::credentials::v1::verify_password_response::{Outcome, Reason};
use sekisho_tests::flow::{Gateway, random};
use sekisho_tests::grpc::reason;
use sekisho_tests::stack::shared;
use tonic::Code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_wrong_passwords_at_once_ten_are_compared() -> Result<()> {
    let log = sekisho_tests::log::open(&shared().database_url("postgres")).await?;
    let gateway = Gateway::connect(shared(), 0).await?;
    // Nobody else in this test binary types a password at this account.
    let login = "99999999";
    let before = head(&log).await?;
    let guesses = (0..200).map(|number| {
        let mut gateway = gateway.clone();
        async move {
            gateway
                .verify_password(login, &format!("wrong {number}"), &random())
                .await
        }
    });
    let (mut verdicts, mut locked, mut busy, mut unknown) = (0, 0, 0, 0);
    for answer in join_all(guesses).await {
        match answer {
            Ok(response) => match response.outcome {
                Some(Outcome::Rejected(rejected)) if rejected.reason() == Reason::Locked => locked += 1,
                Some(Outcome::Rejected(_)) => verdicts += 1,
                other => panic!("a wrong password was not rejected: {other:?}"),
            },
            Err(status) if reason(&status).as_deref() == Some("CREDENTIALS_BUSY") => {
                assert_eq!(status.code(), Code::ResourceExhausted);
                busy += 1;
            }
            // On a machine that does much else two seconds may pass; then nobody was told anything.
            Err(status) => {
                let code = status.code();
                assert!(
                    matches!(code, Code::DeadlineExceeded | Code::Unavailable),
                    "{status:?}"
                );
                unknown += 1;
            }
        }
    }
    println!("{verdicts} verdicts, {locked} locked, {busy} refused as busy, {unknown} without an answer");
    assert!(busy > 0, "the pool was not the limit");
    assert!((1..=10).contains(&verdicts) && locked > 0, "nobody was locked");
    let events = rejected_after(&log, before).await?;
    assert_eq!(events, 10, "each compared guess has its event, and no other");
    sekisho_tests::log::check_order(&log).await
}

async fn head(log: &sqlx::PgPool) -> Result<i64> {
    Ok(
        sqlx::query_scalar("select coalesce(max(position), 0) from log.entry")
            .fetch_one(log)
            .await?,
    )
}

/// Rejected passwords after a position in the stream that has most of them: that of the guessing.
async fn rejected_after(log: &sqlx::PgPool, after: i64) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "select count(*) from log.entry where position > $1 and event_type = 'password_rejected'
         group by stream_id order by 1 desc limit 1",
    )
    .bind(after)
    .fetch_one(log)
    .await?)
}
