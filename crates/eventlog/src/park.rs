//! Work that keeps failing for a reason that time does not mend is laid aside, so that it holds up nothing.
//!
//! Kept beside the log and no part of it: what was done stands there, and what is parked was not done.

use time::OffsetDateTime;

use crate::ids::Position;
use crate::log::Log;
use crate::read::{ReadError, in_time};

/// Work that was laid aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// By which an operator names it.
    pub id: i64,
    /// The role whose work it is.
    pub role: String,
    /// What was to be done, such as `mail`.
    pub work: String,
    /// The entry that it is about.
    pub about: Position,
    /// How often it was tried.
    pub attempts: u64,
    /// Why it failed, in upper snake case.
    pub reason: String,
    /// Since when it is parked.
    pub parked_at: OffsetDateTime,
    /// An operator has asked for another try.
    pub replay: bool,
}

/// A row of `log.parked`.
struct Row {
    parked_id: i64,
    role_name: String,
    work: String,
    about: i64,
    attempts: i64,
    reason: String,
    parked_at: OffsetDateTime,
    replay: bool,
}

impl From<Row> for Parked {
    fn from(row: Row) -> Self {
        Self {
            id: row.parked_id,
            role: row.role_name,
            work: row.work,
            about: Position::from_sql(row.about),
            attempts: u64::try_from(row.attempts).unwrap_or_default(),
            reason: row.reason,
            parked_at: row.parked_at,
            replay: row.replay,
        }
    }
}

impl Log {
    /// Lays work of this service about an entry aside; `false` if too much is parked already. `reason` is in upper snake
    /// case and says nothing of a person.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn park(
        &self,
        work: &'static str,
        about: Position,
        attempts: u32,
        reason: &'static str,
    ) -> Result<bool, ReadError> {
        let parked = sqlx::query_scalar!(
            r#"select log.park($1, $2, $3, $4) as "parked!""#,
            work,
            about.to_sql(),
            i64::from(attempts),
            reason
        )
        .fetch_one(self.pool());
        in_time(async { Ok(parked.await?) }).await
    }

    /// Work of this service about an entry is done, or need not be done any more.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn unpark(&self, work: &'static str, about: Position) -> Result<(), ReadError> {
        let unparked = sqlx::query_scalar!(
            r#"select log.unpark($1, $2)::text as "nothing""#,
            work,
            about.to_sql()
        )
        .fetch_one(self.pool());
        in_time(async { Ok(unparked.await.map(drop)?) }).await
    }

    /// What of this service's own is parked, the oldest first: nobody else may lay its work aside.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn own_parked(&self, work: &'static str) -> Result<Vec<Parked>, ReadError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select parked_id, role_name::text as "role_name!", work, about, attempts, reason, parked_at, replay
             from log.parked where role_name = session_user and work = $1 order by parked_id"#,
            work
        )
        .fetch_all(self.pool());
        let rows = in_time(async { Ok(rows.await?) }).await?;
        Ok(rows.into_iter().map(Parked::from).collect())
    }

    /// Everything that is parked, of all services, the oldest first. For operators.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn parked(&self) -> Result<Vec<Parked>, ReadError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select parked_id, role_name::text as "role_name!", work, about, attempts, reason, parked_at, replay
             from log.parked order by parked_id"#
        )
        .fetch_all(self.pool());
        let rows = in_time(async { Ok(rows.await?) }).await?;
        Ok(rows.into_iter().map(Parked::from).collect())
    }

    /// Has parked work tried again; `false` if there is none with this id. For operators.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn replay_parked(&self, id: i64) -> Result<bool, ReadError> {
        let found =
            sqlx::query_scalar!(r#"select log.replay_parked($1) as "found!""#, id).fetch_one(self.pool());
        in_time(async { Ok(found.await?) }).await
    }

    /// Forgets parked work, which will never be done; `false` if there is none with this id. For operators.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub async fn drop_parked(&self, id: i64) -> Result<bool, ReadError> {
        let found =
            sqlx::query_scalar!(r#"select log.drop_parked($1) as "found!""#, id).fetch_one(self.pool());
        in_time(async { Ok(found.await?) }).await
    }
}
