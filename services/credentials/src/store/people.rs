//! Who has an account: what administrators, pages and mails show of a person.

use std::fmt;

use sekisho_eventlog::StreamId;
use uuid::Uuid;

use super::{Store, StoreError, address, in_time};
use crate::domain::{Address, LoginId, Profile, SubjectIdentifier};

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
    /// The provider of whoever opens it in place of a password; empty for nobody.
    pub issuer: String,
    /// Who that is there.
    pub subject: String,
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

impl Store {
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
            r#"
            select account_id, login_id, facility_code, facility, name, address,
                coalesce((select issuer from credentials.federated_identity as linked
                          where linked.account_id = account.account_id), '') as "issuer!",
                coalesce((select subject from credentials.federated_identity as linked
                          where linked.account_id = account.account_id), '') as "subject!"
            from credentials.account
            where account_id = $1
            "#,
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
            r#"
            select account_id, login_id, facility_code, facility, name, address,
                coalesce((select issuer from credentials.federated_identity as linked
                          where linked.account_id = account.account_id), '') as "issuer!",
                coalesce((select subject from credentials.federated_identity as linked
                          where linked.account_id = account.account_id), '') as "subject!"
            from credentials.account
            where login_id = any($1)
            "#,
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
            r#"
            select account_id, login_id, facility_code, facility, name, address,
                coalesce((select issuer from credentials.federated_identity as linked
                          where linked.account_id = account.account_id), '') as "issuer!",
                coalesce((select subject from credentials.federated_identity as linked
                          where linked.account_id = account.account_id), '') as "subject!"
            from credentials.account
            where login_id > $1 and ($2 = '' or facility_code = $2)
            order by login_id limit $3
            "#,
            page.after,
            page.facility_code,
            i64::from(page.limit)
        );
        in_time(query.fetch_all(&self.pool)).await
    }
}

impl Row {
    /// Whom it is linked with at this provider, or at any without one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn linked_with(&self, issuer: Option<&str>) -> Result<Option<SubjectIdentifier>, StoreError> {
        match self.subject.as_str() {
            "" => Ok(None),
            _ if issuer.is_some_and(|issuer| issuer != self.issuer) => Ok(None),
            text => SubjectIdentifier::try_from(text)
                .map(Some)
                .map_err(|_| StoreError::Damaged),
        }
    }

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
