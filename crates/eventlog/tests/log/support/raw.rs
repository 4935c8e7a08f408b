//! Calls of `log.append` without the library.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Executor, Row};

/// One entry of a call; every field is an SQL expression.
#[derive(Debug, Clone)]
pub struct Raw {
    pub kind: String,
    pub stream: String,
    pub expected: String,
    pub event_id: String,
    pub flow_id: String,
    pub event_type: String,
    pub payload: String,
    pub metadata: String,
    pub not_after: String,
    pub carries: String,
}

impl Raw {
    /// A good entry for version `expected + 1` of a stream of kind `code`.
    pub fn new(stream: u128, expected: u64) -> Self {
        Self {
            kind: "'code'".to_owned(),
            stream: format!("'{}'", uuid::Uuid::from_u128(stream)),
            expected: expected.to_string(),
            event_id: "gen_random_uuid()".to_owned(),
            flow_id: "null".to_owned(),
            event_type: "'code_issued'".to_owned(),
            payload: "'\\x'".to_owned(),
            metadata: "'\\x'".to_owned(),
            not_after: "null".to_owned(),
            carries: "false".to_owned(),
        }
    }
}

/// The text of a call.
pub fn call(entries: &[Raw]) -> String {
    let array = |sql_type: &str, field: fn(&Raw) -> &str| {
        let values: Vec<&str> = entries.iter().map(field).collect();
        format!("array[{}]::{sql_type}[]", values.join(","))
    };
    let columns = [
        array("text", |e| &e.kind),
        array("uuid", |e| &e.stream),
        array("bigint", |e| &e.expected),
        array("uuid", |e| &e.event_id),
        array("uuid", |e| &e.flow_id),
        array("text", |e| &e.event_type),
        array("bytea", |e| &e.payload),
        array("bytea", |e| &e.metadata),
        array("timestamptz", |e| &e.not_after),
        array("boolean", |e| &e.carries),
    ];
    // Knows no entry and no epoch.
    let known = "row(0, null, 0)::log.known";
    format!("select outcomes from log.append({}, {known})", columns.join(", "))
}

/// Runs statements in one message of the simple query protocol; all rows of all of them.
pub async fn run(connection: &mut PgConnection, statements: &str) -> Result<Vec<PgRow>, sqlx::Error> {
    connection
        .fetch_all(sqlx::raw_sql(AssertSqlSafe(statements.to_owned())))
        .await
}

/// The outcomes of one call.
pub async fn outcomes(connection: &mut PgConnection, entries: &[Raw]) -> Vec<String> {
    run(connection, &call(entries)).await.unwrap()[0].get(0)
}

/// The state with which PostgreSQL refused.
pub fn state_of<T>(answer: Result<T, sqlx::Error>) -> String {
    let Err(error) = answer else {
        return "00000".to_owned();
    };
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .unwrap_or_default()
        .into_owned()
}
