//! A connection for appends: one statement at a time, submitted until its outcome is known.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tokio::time::timeout;

/// How long one submission may take before its outcome counts as unknown. No caller waits longer, and those behind it
/// must not wait for its connection.
const SUBMISSION: Duration = Duration::from_secs(2);
/// Between two submissions of a statement whose outcome is unknown.
const PAUSE: Duration = Duration::from_millis(50);

/// A writing connection, opened when needed.
#[derive(Debug)]
pub(crate) struct Line {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

/// Why a statement has no row.
pub(crate) enum Failure {
    /// PostgreSQL refused the statement, and nothing of it stands in the log.
    State(String),
    /// The outcome is unknown and nobody waits for it any more.
    GivenUp,
}

impl Line {
    /// A line that is not connected yet.
    pub fn new(options: &PgConnectOptions) -> Self {
        Self {
            options: options.clone(),
            connection: None,
        }
    }

    /// Submits statements as one transaction, again and again after an unknown outcome: a draft that was recorded the first
    /// time answers `already`.
    pub async fn submit_until_known(
        &mut self,
        sql: &Arc<str>,
        given_up: impl Fn() -> bool,
    ) -> Result<Vec<PgRow>, Failure> {
        let mut again = false;
        loop {
            let silence = Err(sqlx::Error::PoolTimedOut);
            match timeout(SUBMISSION, self.submit(sql)).await.unwrap_or(silence) {
                Ok(answer) => return answer.map_err(Failure::State),
                // Said once: while PostgreSQL is away this happens twenty times a second.
                Err(error) if again => tracing::debug!(%error, "outcome of an append still unknown"),
                Err(error) => {
                    tracing::warn!(%error, "outcome of an append unknown, submitting it again");
                }
            }
            again = true;
            if given_up() {
                return Err(Failure::GivenUp);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The rows of all its statements, or the state with which the transaction was surely rolled back. An error leaves the
    /// outcome open.
    ///
    /// The connection is ours again only after a known outcome; whatever ends this earlier closes it.
    async fn submit(&mut self, sql: &Arc<str>) -> Result<Result<Vec<PgRow>, String>, sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        let statement = sqlx::raw_sql(AssertSqlSafe(Arc::clone(sql)));
        let answer = match connection.fetch_all(statement).await {
            Ok(rows) => Ok(rows),
            Err(error) => Err(rolled_back(&error).ok_or(error)?),
        };
        // A state that is not ours may be the server's: one that has become a standby answers 25006 for ever.
        if answer
            .as_ref()
            .map_or_else(|state| state.starts_with("SK"), |_| true)
        {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

/// The state of an error after which the transaction was surely rolled back. Class 57P (an administrator stops the
/// server) and everything that is not an answer of PostgreSQL leave the outcome open.
fn rolled_back(error: &sqlx::Error) -> Option<String> {
    let state = error.as_database_error()?.code()?.into_owned();
    (!state.starts_with("57P") && !state.starts_with("08")).then_some(state)
}
