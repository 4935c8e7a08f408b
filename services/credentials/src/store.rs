//! The tables of the schema `credentials`. Read here; what changes them together with an event is a combined function.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sekisho_eventlog::{Argument, Position, StreamId, Version, Via};
use sqlx::{AssertSqlSafe, Executor, PgPool, Row as _};
use time::{Date, OffsetDateTime};
use tokio::time::timeout;
use uuid::Uuid;

use crate::domain::{Address, LoginId, Profile};
use crate::hashing::SealedHash;
use crate::sealing::Wrapped;

/// How long a query may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The service's own tables.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

/// An account as a login id finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The account's stream.
    pub account: StreamId,
    /// Whether there is an address for codes.
    pub has_address: bool,
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

/// An account's row, for administrators. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The account's id.
    pub account_id: Uuid,
    /// What the person signs in with.
    pub login_id: String,
    /// The facility's public code.
    pub facility_code: String,
    /// The facility's name.
    pub facility: String,
    /// The person's name.
    pub name: String,
    /// Where codes go; may be empty.
    pub address: String,
}

/// Which accounts of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Those of one facility; empty for all.
    pub facility_code: String,
    /// Those after this login id.
    pub after: String,
    /// At most so many.
    pub limit: u32,
}

/// What pages and mails show of a person. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// What the person signs in with.
    pub login_id: String,
    /// The facility's name.
    pub facility: String,
    /// The person's name.
    pub name: String,
    /// Where codes go.
    pub address: Option<Address>,
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

    /// The account that has a login id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, login: &LoginId) -> Result<Option<Found>, StoreError> {
        let query = sqlx::query!(
            r#"
            select account.account_id, account.address <> '' as "has_address!",
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

    /// The person who has an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn person(&self, account: StreamId) -> Result<Option<Person>, StoreError> {
        let query = sqlx::query!(
            "select login_id, facility, name, address from credentials.account where account_id = $1",
            account.0
        );
        let Some(row) = in_time(query.fetch_optional(&self.pool)).await? else {
            return Ok(None);
        };
        Ok(Some(Person {
            login_id: row.login_id,
            facility: row.facility,
            name: row.name,
            address: address(&row.address)?,
        }))
    }

    /// The row of an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn row_of(&self, account: StreamId) -> Result<Option<Row>, StoreError> {
        let query = sqlx::query_as!(
            Row,
            "select account_id, login_id, facility_code, facility, name, address
            from credentials.account where account_id = $1",
            account.0
        );
        in_time(query.fetch_optional(&self.pool)).await
    }

    /// The row of a login id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn row(&self, login: &LoginId) -> Result<Option<Row>, StoreError> {
        Ok(self.rows_of(std::iter::once(login)).await?.pop())
    }

    /// The rows of those login ids that somebody has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rows_of(&self, logins: impl Iterator<Item = &LoginId>) -> Result<Vec<Row>, StoreError> {
        let logins: Vec<String> = logins.map(|login| login.as_str().to_owned()).collect();
        let query = sqlx::query_as!(
            Row,
            "select account_id, login_id, facility_code, facility, name, address
            from credentials.account where login_id = any($1)",
            &logins
        );
        in_time(query.fetch_all(&self.pool)).await
    }

    /// The rows of a page, in the order of their login ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rows(&self, page: &Page) -> Result<Vec<Row>, StoreError> {
        let query = sqlx::query_as!(
            Row,
            "select account_id, login_id, facility_code, facility, name, address
            from credentials.account
            where login_id > $1 and ($2 = '' or facility_code = $2)
            order by login_id limit $3",
            page.after,
            page.facility_code,
            i64::from(page.limit)
        );
        in_time(query.fetch_all(&self.pool)).await
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

impl Row {
    /// What it says of the person.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn profile(&self) -> Result<Profile, StoreError> {
        Ok(Profile {
            facility_code: self.facility_code.clone(),
            facility: self.facility.clone(),
            name: self.name.clone(),
            address: address(&self.address)?,
        })
    }
}

fn address(column: &str) -> Result<Option<Address>, StoreError> {
    match column {
        "" => Ok(None),
        text => Address::try_from(text).map(Some).map_err(|_| StoreError::Damaged),
    }
}

/// What `credentials.register_account` takes after the draft.
pub(crate) fn registration(
    login: &LoginId,
    profile: &Profile,
    password: SealedHash,
    key: Wrapped,
) -> Vec<Argument> {
    let address = profile.address.as_ref().map_or("", Address::as_str);
    let person = [
        Argument::Text(login.as_str().to_owned()),
        Argument::Text(profile.facility_code.clone()),
        Argument::Text(profile.facility.clone()),
        Argument::Text(profile.name.clone()),
        Argument::Text(address.to_owned()),
    ];
    let key = [Argument::Text(key.master_id), Argument::Bytes(key.bytes)];
    person.into_iter().chain(hash(password)).chain(key).collect()
}

/// Has codes mailed elsewhere.
pub(crate) fn new_address(address: Option<&Address>) -> Via {
    let text = address.map_or("", Address::as_str).to_owned();
    Via::Function {
        name: "credentials.change_address",
        arguments: Arc::new([Argument::Text(text)]),
        grouped: false,
    }
}

/// Changes facility and name, and leaves the address. Refused if the person is at another facility than `before` by then.
pub(crate) fn new_profile(before: &Profile, profile: &Profile) -> Via {
    let parts = [
        &before.facility_code,
        &profile.facility_code,
        &profile.facility,
        &profile.name,
    ];
    Via::Function {
        name: "credentials.change_profile",
        arguments: Arc::new(parts.map(|part| Argument::Text(part.clone()))),
        grouped: false,
    }
}

/// What functions take of a hash.
pub(crate) fn hash(hash: SealedHash) -> [Argument; 3] {
    [
        Argument::Text(hash.form),
        Argument::Text(hash.pepper_id),
        Argument::Bytes(hash.sealed),
    ]
}

async fn in_time<T>(query: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    timeout(PATIENCE, query)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        .map_err(StoreError::Unavailable)
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
