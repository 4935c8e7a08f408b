//! The tables of the schema `credentials`. Read here; what changes them together with an event is a combined function.

mod arguments;
mod day_keys;
mod former_addresses;
mod identities;
mod passwords;
mod people;
mod personal_keys;

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::timeout;

use crate::domain::Address;

pub(crate) use arguments::{hash, new_address, new_identity, new_profile, registration};
pub use identities::Linked;
pub use passwords::{Found, StoredPassword};
pub use people::{Page, Person, Row};

/// How long a query may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The service's own tables.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

/// Why the tables gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// PostgreSQL did not answer.
    #[error("the tables cannot be read")]
    Unavailable(#[source] sqlx::Error),
    /// A row that this service would not have written.
    #[error("a row cannot be used")]
    Damaged,
}

impl Store {
    /// Reads over a pool of connections.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Whether the tables are there and may be read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn check(&self) -> Result<(), StoreError> {
        let query = sqlx::query!(
            r#"
            select exists (
                select from credentials.account
                join credentials.password using (account_id)
                join credentials.personal_key using (account_id)
            ) as "any!"
            "#
        );
        in_time(query.fetch_one(&self.pool)).await?;
        Ok(())
    }
}

fn address(column: &str) -> Result<Option<Address>, StoreError> {
    match column {
        "" => Ok(None),
        text => Address::try_from(text).map(Some).map_err(|_| StoreError::Damaged),
    }
}

async fn in_time<T>(query: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    timeout(PATIENCE, query)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        .map_err(StoreError::Unavailable)
}
