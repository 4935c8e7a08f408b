//! Group commit: the next batch is everything that waits when the last has committed. No timer.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::append::{AppendError, Outcome, Receipt};
use crate::draft::{Draft, Via};
use crate::head::Heads;
use crate::ids::Position;
use crate::publish::Publisher;
use crate::statement;

/// Entries in one statement, at most; `log.append` refuses more.
const BATCH: usize = 500;
/// Entries of this process that wait; one more is answered with [`AppendError::Busy`].
const QUEUE: usize = 4096;
/// How long a caller waits for its outcome.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long one submission may take before its outcome counts as unknown.
const SUBMISSION: Duration = Duration::from_secs(5);
/// Between two submissions of a batch whose outcome is unknown.
const PAUSE: Duration = Duration::from_millis(50);

/// A draft whose caller waits.
struct Waiting {
    draft: Draft,
    answer: oneshot::Sender<Result<Outcome, AppendError>>,
}

/// Hands drafts to the task that owns the writing connection.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Waiting>,
    options: PgConnectOptions,
    heads: Heads,
    publisher: Publisher,
}

impl Writer {
    /// Starts the writing task; it ends when the last `Writer` is gone.
    pub fn start(options: PgConnectOptions, heads: Heads, publisher: Publisher) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let line = Line {
            options: options.clone(),
            connection: None,
        };
        tokio::spawn(commit_groups(waiting, line, heads.clone(), publisher.clone()));
        Self {
            queue,
            options,
            heads,
            publisher,
        }
    }

    /// Appends a draft and waits for its outcome, 2 s at most.
    pub async fn append(&self, draft: Draft, via: &Via) -> Result<Outcome, AppendError> {
        match via {
            Via::Append => self.append_with_others(draft).await,
            Via::Function { name, arguments } => {
                let since = self.heads.known().position;
                let sql = statement::combined(name, &draft, since, arguments);
                timeout(PATIENCE, self.append_alone(sql, &draft))
                    .await
                    .unwrap_or(Err(AppendError::Unavailable))
            }
        }
    }

    async fn append_with_others(&self, draft: Draft) -> Result<Outcome, AppendError> {
        let (answer, outcome) = oneshot::channel();
        self.queue
            .try_send(Waiting { draft, answer })
            .map_err(|_| AppendError::Busy)?;
        match timeout(PATIENCE, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(AppendError::Unavailable),
        }
    }

    /// A combined function has a connection of its own; after an unknown outcome it is called again like a batch.
    async fn append_alone(&self, sql: AssertSqlSafe<String>, draft: &Draft) -> Result<Outcome, AppendError> {
        let mut line = Line {
            options: self.options.clone(),
            connection: None,
        };
        let row = line.submit_until_known(&sql, || false).await;
        let outcome = match row {
            Ok(row) => one_outcome(&row),
            Err(Failure::State(state)) => refusal(&state),
            Err(Failure::GivenUp) => Err(AppendError::Unavailable),
        }?;
        if let Outcome::Recorded(receipt) = outcome {
            self.heads.saw(receipt.position);
            self.publisher.publish(draft, receipt);
        }
        Ok(outcome)
    }
}

async fn commit_groups(
    mut waiting: mpsc::Receiver<Waiting>,
    mut line: Line,
    heads: Heads,
    publisher: Publisher,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        // Whose caller has given up is dropped unsent.
        batch.retain(|entry| !entry.answer.is_closed());
        if batch.is_empty() {
            continue;
        }
        let drafts: Vec<&Draft> = batch.iter().map(|entry| &entry.draft).collect();
        let sql = statement::append(&drafts, heads.known().position);
        let nobody_waits = || batch.iter().all(|entry| entry.answer.is_closed());
        let outcomes = match line.submit_until_known(&sql, nobody_waits).await {
            Ok(row) => outcomes(&row),
            Err(Failure::State(state)) => vec![refusal(&state); batch.len()],
            Err(Failure::GivenUp) => vec![Err(AppendError::Unavailable); batch.len()],
        };
        for (entry, outcome) in batch.drain(..).zip(outcomes) {
            if let Ok(Outcome::Recorded(receipt)) = outcome {
                heads.saw(receipt.position);
                publisher.publish(&entry.draft, receipt);
            }
            // A caller that has given up in the meantime does not read it.
            let _ = entry.answer.send(outcome);
        }
    }
}

/// The writing connection, opened when needed.
struct Line {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

enum Failure {
    /// PostgreSQL refused the statement, and nothing of it stands in the log.
    State(String),
    /// The outcome is unknown and nobody waits for it any more.
    GivenUp,
}

impl Line {
    /// Submits a statement, again and again after an unknown outcome: a draft that was recorded the first time
    /// answers `already`.
    async fn submit_until_known(
        &mut self,
        sql: &AssertSqlSafe<String>,
        given_up: impl Fn() -> bool,
    ) -> Result<PgRow, Failure> {
        loop {
            match timeout(SUBMISSION, self.submit(sql)).await {
                Ok(Ok(row)) => return Ok(row),
                Ok(Err(error)) => {
                    if let Some(state) = rolled_back(&error) {
                        return Err(Failure::State(state));
                    }
                    tracing::warn!(error = %error, "outcome of an append unknown, submitting it again");
                }
                Err(_) => tracing::warn!("no answer to an append, submitting it again"),
            }
            self.connection = None;
            if given_up() {
                return Err(Failure::GivenUp);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn submit(&mut self, sql: &AssertSqlSafe<String>) -> Result<PgRow, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => self.connection.insert(connection),
            None => self.connection.insert(self.options.connect().await?),
        };
        connection
            .fetch_one(sqlx::raw_sql(AssertSqlSafe(sql.0.clone())))
            .await
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::spawn(connection.close());
        }
    }
}

/// The state of an error after which the transaction was surely rolled back. Class 57 (an administrator stops the
/// server) and everything that is not an answer of PostgreSQL leave the outcome open.
fn rolled_back(error: &sqlx::Error) -> Option<String> {
    let state = error.as_database_error()?.code()?.into_owned();
    (!state.starts_with("57P") && !state.starts_with("08")).then_some(state)
}

fn refusal(state: &str) -> Result<Outcome, AppendError> {
    match state {
        "SK001" => Ok(Outcome::Conflict),
        "SK002" => Ok(Outcome::Expired),
        "SK003" | "SK004" | "42501" => Err(AppendError::Refused),
        _ => {
            tracing::warn!(state, "PostgreSQL refused an append");
            Err(AppendError::Unavailable)
        }
    }
}

fn outcomes(row: &PgRow) -> Vec<Result<Outcome, AppendError>> {
    let outcomes: Vec<String> = row.get(0);
    let positions: Vec<Option<i64>> = row.get(1);
    let moments: Vec<Option<OffsetDateTime>> = row.get(2);
    let places = positions.into_iter().zip(moments);
    outcomes
        .iter()
        .zip(places)
        .map(|(outcome, (position, moment))| read(outcome, position, moment))
        .collect()
}

fn one_outcome(row: &PgRow) -> Result<Outcome, AppendError> {
    read(row.get(0), row.get(1), row.get(2))
}

fn read(outcome: &str, position: Option<i64>, at: Option<OffsetDateTime>) -> Result<Outcome, AppendError> {
    match (outcome, position, at) {
        ("appended" | "already", Some(position), Some(recorded_at)) => Ok(Outcome::Recorded(Receipt {
            position: Position::from_sql(position),
            recorded_at,
        })),
        ("conflict", ..) => Ok(Outcome::Conflict),
        ("expired", ..) => Ok(Outcome::Expired),
        _ => Err(AppendError::Refused),
    }
}
