//! The keys of days, wrapped.

use time::Date;

use super::{Store, StoreError, in_time};
use crate::sealing::Wrapped;

impl Store {
    /// The key of a day, if somebody has made it and it still exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn day_key(&self, day: Date) -> Result<Option<Wrapped>, StoreError> {
        let query = sqlx::query_as!(
            Wrapped,
            "select master_id, wrapped as bytes from credentials.day_key where day = $1",
            day
        );
        in_time(query.fetch_optional(&self.pool)).await
    }

    /// The key of a day: this one, or the one that somebody else has made before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn make_day_key(&self, day: Date, fresh: Wrapped) -> Result<Wrapped, StoreError> {
        let query = sqlx::query_as!(
            Wrapped,
            r#"select master_id as "master_id!", wrapped as "bytes!" from credentials.make_day_key($1, $2, $3)"#,
            day,
            fresh.master_id,
            fresh.bytes
        );
        in_time(query.fetch_one(&self.pool)).await
    }

    /// Destroys the keys of all days before one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_day_keys(&self, before: Date) -> Result<(), StoreError> {
        let query = sqlx::query!("select credentials.forget_day_keys($1)", before);
        in_time(query.execute(&self.pool)).await?;
        Ok(())
    }
}
