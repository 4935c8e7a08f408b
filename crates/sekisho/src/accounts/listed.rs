//! Accounts, a page after the other.

use anyhow::Context;
use sekisho_proto::credentials::v1::{Account, ListAccountsRequest};
use sekisho_proto::from_timestamp;
use time::OffsetDateTime;
use tonic::Code;

use super::Credentials;
use super::refusal::refused;

/// Accounts that are asked for at a time: each is some reads of the log, and a call has five seconds, also on a machine that does
/// much else.
const PAGE: u32 = 25;
/// A page that takes too long is asked for again with so many times fewer.
const SMALLER: u32 = 5;

/// Accounts, and when they were so.
pub(super) struct Listed {
    /// In the order of their login ids.
    pub accounts: Vec<Account>,
    /// By the log's clock.
    pub now: OffsetDateTime,
}

/// All accounts of a facility, or all.
///
/// # Errors
/// A sentence when credentials does not answer.
pub(super) async fn all(credentials: &Credentials, facility_code: &str) -> anyhow::Result<Listed> {
    let mut client = credentials.client()?;
    let mut accounts: Vec<Account> = Vec::new();
    let mut limit = PAGE;
    loop {
        let after = accounts.last().map(|account| account.login_id.clone());
        let request = ListAccountsRequest {
            facility_code: facility_code.to_owned(),
            after_login_id: after.unwrap_or_default(),
            limit,
        };
        let page = match client.list_accounts(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if status.code() == Code::DeadlineExceeded && limit > 1 => {
                limit = (limit / SMALLER).max(1);
                continue;
            }
            Err(status) => return Err(refused("一覧にできません", &status)),
        };
        let is_last = page.accounts.len() < limit as usize;
        accounts.extend(page.accounts);
        if is_last {
            let now = page.now.as_ref().and_then(from_timestamp);
            let now = now.context("credentials did not say when that was so")?;
            return Ok(Listed { accounts, now });
        }
    }
}
