//! Sealed passwords, and what was typed wrong of late.

use sekisho_eventlog::{Argument, StreamId, Version};
use sqlx::{AssertSqlSafe, Executor, Row as _};
use time::OffsetDateTime;

use super::{Store, StoreError, hash, in_time};
use crate::domain::LoginId;
use crate::hashing::SealedHash;
use crate::sealing::Wrapped;

/// An account as a login id finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The account's stream.
    pub account: StreamId,
    /// Whether there is an address for codes.
    pub has_address: bool,
    /// Whether a person at a provider opens it, and no password.
    pub is_linked: bool,
    /// The password.
    pub password: StoredPassword,
    /// The key that seals what the log keeps of the person.
    pub key: Wrapped,
}

/// A password and what set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// The version of the account's stream whose event set it.
    pub set_by: Version,
    /// The hash.
    pub hash: SealedHash,
}

impl Store {
    /// The account that has a login id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, login: &LoginId) -> Result<Option<Found>, StoreError> {
        let query = sqlx::query!(
            r#"
            select account.account_id, account.address <> '' as "has_address!",
                exists (
                    select from credentials.federated_identity as linked where linked.account_id = account.account_id
                ) as "is_linked!",
                password.set_by_version, password.form, password.pepper_id, password.sealed,
                personal_key.master_id, personal_key.wrapped
            from credentials.account
            join credentials.password using (account_id)
            join credentials.personal_key using (account_id)
            where account.login_id = $1
            "#,
            login.as_str()
        );
        let Some(row) = in_time(query.fetch_optional(&self.pool)).await? else {
            return Ok(None);
        };
        Ok(Some(Found {
            account: StreamId(row.account_id),
            has_address: row.has_address,
            is_linked: row.is_linked,
            password: StoredPassword {
                set_by: Version(u64::try_from(row.set_by_version).map_err(|_| StoreError::Damaged)?),
                hash: SealedHash {
                    form: row.form,
                    pepper_id: row.pepper_id,
                    sealed: row.sealed,
                },
            },
            key: Wrapped {
                master_id: row.master_id,
                bytes: row.wrapped,
            },
        }))
    }

    /// The password of an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn password(&self, account: StreamId) -> Result<Option<StoredPassword>, StoreError> {
        let query = sqlx::query!(
            "select set_by_version, form, pepper_id, sealed from credentials.password where account_id = $1",
            account.0
        );
        let Some(row) = in_time(query.fetch_optional(&self.pool)).await? else {
            return Ok(None);
        };
        Ok(Some(StoredPassword {
            set_by: Version(u64::try_from(row.set_by_version).map_err(|_| StoreError::Damaged)?),
            hash: SealedHash {
                form: row.form,
                pepper_id: row.pepper_id,
                sealed: row.sealed,
            },
        }))
    }

    /// Puts another hash of the same password in the place of `old`. Answers whether it was still there.
    ///
    /// One message of the simple protocol, like an append: the row's lock must not wait for another byte from here,
    /// because the next `set_password` of this process waits for it, and all others of the process behind that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rehash(
        &self,
        account: StreamId,
        old: &StoredPassword,
        new: SealedHash,
    ) -> Result<bool, StoreError> {
        let arguments = [
            Argument::Uuid(account.0),
            Argument::Number(i64::try_from(old.set_by.0).map_err(|_| StoreError::Damaged)?),
            Argument::Bytes(old.hash.sealed.clone()),
        ];
        let all = arguments.into_iter().chain(hash(new));
        let literals: Vec<String> = all.map(|argument| argument.literal()).collect();
        let sql = format!("select credentials.rehash({})", literals.join(", "));
        let row = in_time(self.pool.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql)))).await?;
        row.try_get(0).map_err(StoreError::Unavailable)
    }

    /// Passwords that are sealed under another line of the pepper file than this one, of accounts after one, so many at most; those
    /// that stand with the former system have none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn under_other_peppers(
        &self,
        pepper_id: &str,
        after: StreamId,
        limit: u32,
    ) -> Result<Vec<(StreamId, StoredPassword)>, StoreError> {
        let query = sqlx::query!(
            "select account_id, set_by_version, form, pepper_id, sealed from credentials.password
            where pepper_id <> $1 and pepper_id <> '' and account_id > $2 order by account_id limit $3",
            pepper_id,
            after.0,
            i64::from(limit)
        );
        let rows = in_time(query.fetch_all(&self.pool)).await?;
        let read = rows.into_iter().map(|row| {
            let stored = StoredPassword {
                set_by: Version(u64::try_from(row.set_by_version).map_err(|_| StoreError::Damaged)?),
                hash: SealedHash {
                    form: row.form,
                    pepper_id: row.pepper_id,
                    sealed: row.sealed,
                },
            };
            Ok((StreamId(row.account_id), stored))
        });
        read.collect()
    }

    /// Fingerprints of the newest wrong passwords of an account or a phantom, of the day before `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wrong_passwords(
        &self,
        stream: StreamId,
        now: OffsetDateTime,
    ) -> Result<Vec<i32>, StoreError> {
        let query = sqlx::query_scalar!(
            "select fingerprint from credentials.wrong_password
            where stream_id = $1 and typed_at > $2::timestamptz - interval '24 hours' order by typed_at desc limit 3",
            stream.0,
            now
        );
        in_time(query.fetch_all(&self.pool)).await
    }

    /// Remembers the fingerprint of a wrong password.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remember_wrong_password(
        &self,
        stream: StreamId,
        fingerprint: i32,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "select credentials.remember_wrong_password($1, $2, $3)",
            stream.0,
            fingerprint,
            now
        );
        in_time(query.execute(&self.pool)).await?;
        Ok(())
    }
}
