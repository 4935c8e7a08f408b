//! What PostgreSQL answers to an append.

use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;

use crate::append::{AppendError, Outcome, Receipt};
use crate::ids::Position;
use crate::line::Failure;

impl Failure {
    /// Whether it speaks of one call among several, and the others may well be taken: what our functions refuse, and bad
    /// data, rows and rights. A lock that is not to be had or a server that takes no writes speaks of all.
    pub fn is_of_one_call(&self) -> bool {
        match self {
            Self::State(state) => {
                let ours = ["SK001", "SK002", "SK003", "SK004"].contains(&state.as_str());
                ours || ["22", "23", "42"].iter().any(|class| state.starts_with(class))
            }
            Self::GivenUp => false,
        }
    }

    /// What it means for each entry of the statement.
    pub fn outcome(&self) -> Result<Outcome, AppendError> {
        match self {
            Self::State(state) => refusal(state),
            Self::GivenUp => Err(AppendError::Unavailable),
        }
    }
}

fn refusal(state: &str) -> Result<Outcome, AppendError> {
    match state {
        "SK001" => Ok(Outcome::Conflict),
        "SK002" => Ok(Outcome::Expired),
        "SK005" => Err(AppendError::WentBack),
        "SK006" => Err(AppendError::ClockWentBack),
        "SK003" | "SK004" | "42501" => Err(AppendError::Refused),
        _ => {
            tracing::warn!(state, "PostgreSQL refused an append");
            Err(AppendError::Unavailable)
        }
    }
}

/// The outcome of each entry of a batch, which is one statement with one row.
pub(crate) fn of_batch(rows: &[PgRow], entries: usize) -> Vec<Result<Outcome, AppendError>> {
    let unreadable = |error: sqlx::Error| {
        tracing::error!(%error, "the answer to an append cannot be read");
        vec![Err(AppendError::Unavailable); entries]
    };
    columns(rows).unwrap_or_else(unreadable)
}

fn columns(rows: &[PgRow]) -> Result<Vec<Result<Outcome, AppendError>>, sqlx::Error> {
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let outcomes: Vec<String> = row.try_get(0)?;
    let positions: Vec<Option<i64>> = row.try_get(1)?;
    let micros: Vec<Option<i64>> = row.try_get(2)?;
    let places = positions.into_iter().zip(micros);
    let each = outcomes.iter().zip(places);
    Ok(each
        .map(|(outcome, (position, micros))| read(outcome, position, micros))
        .collect())
}

/// The outcome of a combined function, which is one row.
pub(crate) fn of_call(row: Option<&PgRow>) -> Result<Outcome, AppendError> {
    let columns = || {
        let row = row.ok_or(sqlx::Error::RowNotFound)?;
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    };
    let (outcome, position, micros): (String, _, _) = columns().map_err(|error: sqlx::Error| {
        tracing::error!(%error, "the answer to an append cannot be read");
        AppendError::Unavailable
    })?;
    read(&outcome, position, micros)
}

fn read(outcome: &str, position: Option<i64>, micros: Option<i64>) -> Result<Outcome, AppendError> {
    match (outcome, position, micros) {
        ("appended" | "already", Some(position), Some(micros)) => Ok(Outcome::Recorded(Receipt {
            position: Position::from_sql(position),
            recorded_at: OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(micros),
        })),
        ("conflict", ..) => Ok(Outcome::Conflict),
        ("expired", ..) => Ok(Outcome::Expired),
        _ => Err(AppendError::Refused),
    }
}
