//! Who signs in with an account at a provider.

use sekisho_eventlog::StreamId;

use super::{Store, StoreError, in_time};
use crate::domain::SubjectIdentifier;
use crate::sealing::Wrapped;

/// The account that a person at a provider opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The account's stream.
    pub account: StreamId,
    /// The key that seals what the log keeps of the person.
    pub key: Wrapped,
}

impl Store {
    /// The account that is linked with a person at a provider.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn linked(
        &self,
        issuer: &str,
        subject: &SubjectIdentifier,
    ) -> Result<Option<Linked>, StoreError> {
        let query = sqlx::query!(
            "select account_id, master_id, wrapped
            from credentials.federated_identity join credentials.personal_key using (account_id)
            where issuer = $1 and subject = $2",
            issuer,
            subject.as_str()
        );
        let Some(row) = in_time(query.fetch_optional(&self.pool)).await? else {
            return Ok(None);
        };
        Ok(Some(Linked {
            account: StreamId(row.account_id),
            key: Wrapped {
                master_id: row.master_id,
                bytes: row.wrapped,
            },
        }))
    }
}
