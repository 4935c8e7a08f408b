//! Accounts, a page after the other.

use std::time::Duration;

use anyhow::Context;
use sekisho_proto::credentials::v1::{Account, ListAccountsRequest};
use sekisho_proto::from_timestamp;
use time::OffsetDateTime;
use tokio::time::sleep;
use tonic::Code;

use super::Credentials;
use super::refusal::{is_answer_lost, refused};
use crate::progress;

/// Accounts that are asked for at a time: each is some reads of the log, and a call has five seconds, also on a machine that does
/// much else.
const PAGE: u32 = 25;
/// A page that takes too long is asked for again with so many times fewer.
const SMALLER: u32 = 5;
/// Before each further attempt when no replica answers: nobody likes to begin a long list anew.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

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
    let mut pauses = PAUSES.into_iter();
    let spinner = progress::spinner("{spinner} {pos}件")?;
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
            Err(status) => match pauses.next() {
                Some(pause) if is_answer_lost(&status) => {
                    sleep(pause).await;
                    continue;
                }
                _ => return Err(refused("一覧にできません", &status)),
            },
        };
        pauses = PAUSES.into_iter();
        let is_last = page.accounts.len() < limit as usize;
        accounts.extend(page.accounts);
        spinner.set_position(u64::try_from(accounts.len())?);
        if is_last {
            let now = page.now.as_ref().and_then(from_timestamp);
            let now = now.context("credentials did not say when that was so")?;
            spinner.finish_and_clear();
            return Ok(Listed { accounts, now });
        }
    }
}
