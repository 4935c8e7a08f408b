//! Addresses that codes went to before, kept for a day so that a notice of the change can reach them.

use sekisho_eventlog::{Position, StreamId};
use time::OffsetDateTime;

use super::{Store, StoreError, address, in_time};
use crate::domain::Address;

impl Store {
    /// The address that an account had before the EmailChanged at a position; nothing if it had none, or it is forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn former_address(
        &self,
        account: StreamId,
        changed: Position,
    ) -> Result<Option<Address>, StoreError> {
        let position = i64::try_from(changed.0).map_err(|_| StoreError::Damaged)?;
        let query = sqlx::query_scalar!(
            r#"select address from credentials.former_address where account_id = $1 and "position" = $2"#,
            account.0,
            position
        );
        let found = in_time(query.fetch_optional(&self.pool)).await?;
        address(&found.unwrap_or_default())
    }

    /// The address that an account had at a position, if it was changed since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn address_before_change(
        &self,
        account: StreamId,
        at: Position,
    ) -> Result<Option<Address>, StoreError> {
        let position = i64::try_from(at.0).map_err(|_| StoreError::Damaged)?;
        let query = sqlx::query_scalar!(
            r#"select address from credentials.former_address where account_id = $1 and "position" > $2
            order by "position" limit 1"#,
            account.0,
            position
        );
        let found = in_time(query.fetch_optional(&self.pool)).await?;
        address(&found.unwrap_or_default())
    }

    /// Forgets addresses that were changed before a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_former_addresses(&self, before: OffsetDateTime) -> Result<(), StoreError> {
        let query = sqlx::query!("select credentials.forget_former_addresses($1)", before);
        in_time(query.execute(&self.pool)).await?;
        Ok(())
    }
}
