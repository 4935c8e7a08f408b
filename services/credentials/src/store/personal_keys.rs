//! The keys of persons, wrapped.

use sekisho_eventlog::StreamId;

use super::{Store, StoreError, in_time};
use crate::sealing::Wrapped;

impl Store {
    /// Keys that are wrapped under another line of the master key file than this one, of accounts after one, so many at most.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn under_other_masters(
        &self,
        master_id: &str,
        after: StreamId,
        limit: u32,
    ) -> Result<Vec<(StreamId, Wrapped)>, StoreError> {
        let query = sqlx::query!(
            "select account_id, master_id, wrapped from credentials.personal_key
            where master_id <> $1 and account_id > $2 order by account_id limit $3",
            master_id,
            after.0,
            i64::from(limit)
        );
        let rows = in_time(query.fetch_all(&self.pool)).await?;
        let read = rows.into_iter().map(|row| {
            let wrapped = Wrapped {
                master_id: row.master_id,
                bytes: row.wrapped,
            };
            (StreamId(row.account_id), wrapped)
        });
        Ok(read.collect())
    }

    /// Puts the same key under another master key in the place of `old`. Answers whether it was still there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rewrap(&self, account: StreamId, old: &Wrapped, new: Wrapped) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar!(
            r#"select credentials.rewrap($1, $2, $3, $4) as "changed!""#,
            account.0,
            old.bytes,
            new.master_id,
            new.bytes
        );
        in_time(query.fetch_one(&self.pool)).await
    }
}
