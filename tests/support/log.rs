//! The log as an auditor sees it, and the invariants that hold after every run.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use sqlx::{PgPool, Row};

/// Opens the log for reading.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn open(database_url: &str) -> Result<PgPool> {
    Ok(PgPool::connect(database_url).await?)
}

/// How often each event type stands in the log, over all streams.
///
/// # Errors
/// When PostgreSQL does not answer.
pub async fn counts(log: &PgPool) -> Result<BTreeMap<String, i64>> {
    let rows = sqlx::query("select event_type, count(*) from log.entry group by event_type")
        .fetch_all(log)
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Positions are 1..n, versions of every stream 1..m, and the times never go back (I6).
///
/// # Errors
/// When they are not.
pub async fn check_order(log: &PgPool) -> Result<()> {
    let row = sqlx::query(
        "select count(*), coalesce(min(position), 1), coalesce(max(position), 0),
                count(*) filter (where recorded_at < before)
         from (select position, recorded_at, lag(recorded_at) over (order by position) as before from log.entry) as e",
    )
    .fetch_one(log)
    .await?;
    let (entries, first, last, back): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
    ensure!(
        first == 1 && last == entries,
        "positions {first}..{last} for {entries} entries"
    );
    ensure!(back == 0, "{back} entries are earlier than the one before");
    let gaps: i64 = sqlx::query_scalar(
        "select count(*) from (select kind, stream_id from log.entry group by kind, stream_id
         having count(*) <> max(version) or min(version) <> 1 or count(distinct version) <> count(*)) as broken",
    )
    .fetch_one(log)
    .await?;
    ensure!(gaps == 0, "{gaps} streams have gaps or doubles");
    Ok(())
}
