//! Rows on their way to credentials.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::bail;
use futures::{StreamExt as _, stream};
use indicatif::ProgressBar;
use prost::Message as _;
use sekisho_proto::credentials::v1::administration_service_client::AdministrationServiceClient;
use sekisho_proto::credentials::v1::{ImportAccountsRequest, ImportRow, ImportedRow};
use sekisho_service::client::Channel;
use tokio::sync::Semaphore;
use tonic::{Code, Request};

use super::list::Line;
use super::passwords::Passwords;
use crate::accounts::distributed;
use crate::accounts::refusal::refused;

/// Rows of one call, at most. Credentials takes 500; a bar that moves is worth more than a few calls fewer.
const ROWS: usize = 100;
/// Bytes of one call, at most, with room for hashes that are still to come. A server takes 64 KiB.
const BYTES: usize = 40 * 1_024;
/// Calls that are under way at a time.
const AT_ONCE: usize = 4;
/// How long one call may take: as long as a server lets it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Before each further attempt when no replica takes a call.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// A line and what became of it.
pub(crate) type Answered = (Line, ImportedRow);

/// Where new accounts get their passwords from.
#[derive(Clone)]
pub(crate) enum NewPasswords {
    /// The same for all: the hash of a password that is forgotten at once, so that the owners set one by way of a code; or the word
    /// that the passwords stand with the former system.
    Same(Arc<str>),
    /// Each gets one of this file.
    Distributed(Arc<Distribution>),
}

/// A file of passwords, and the threads that hash them.
pub(crate) struct Distribution {
    passwords: Mutex<Passwords>,
    threads: Semaphore,
}

impl NewPasswords {
    /// A password that nobody ever learns.
    ///
    /// # Errors
    /// When there is no memory to hash it.
    pub fn unknown() -> anyhow::Result<Self> {
        let hash = distributed::hash(&distributed::password())?;
        Ok(Self::Same(hash.into()))
    }

    /// Whether an import before, with the same file, has made a password for a login id.
    pub fn were_made_before(&self, login: &str) -> bool {
        match self {
            Self::Same(_) => false,
            Self::Distributed(distribution) => {
                let passwords = distribution.passwords.lock();
                passwords.unwrap_or_else(PoisonError::into_inner).has(login)
            }
        }
    }

    /// Those that people have in the former system.
    pub fn with_former() -> Self {
        Self::Same("former-system".into())
    }

    /// Those of a file, hashed on all cores.
    pub fn of(passwords: Passwords) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::Distributed(Arc::new(Distribution {
            passwords: Mutex::new(passwords),
            threads: Semaphore::new(cores),
        }))
    }

    /// Rows with a hash each, but for those that an account at the NCR provider opens. A ready-made one stays.
    async fn give(&self, mut rows: Vec<ImportRow>) -> anyhow::Result<Vec<ImportRow>> {
        let without = rows
            .iter_mut()
            .filter(|row| row.password_hash.is_empty() && row.ncr_subject.is_empty());
        match self {
            Self::Same(hash) => {
                for row in without {
                    row.password_hash = hash.to_string();
                }
            }
            Self::Distributed(distribution) => distribution.give(without.collect()).await?,
        }
        Ok(rows)
    }
}

impl Distribution {
    async fn give(&self, mut rows: Vec<&mut ImportRow>) -> anyhow::Result<()> {
        let passwords = self.choose(&rows)?;
        let hashes = passwords.iter().map(|password| self.hash(password.clone()));
        let hashes: Vec<String> = futures::future::try_join_all(hashes).await?;
        for (row, hash) in rows.iter_mut().zip(hashes) {
            row.password_hash = hash;
            row.password_is_initial = true;
        }
        Ok(())
    }

    /// A password for each row; the file has them all.
    fn choose(&self, rows: &[&mut ImportRow]) -> anyhow::Result<Vec<String>> {
        let mut kept = self.passwords.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen: Vec<(String, bool)> = rows.iter().map(|row| kept.password(&row.login_id)).collect();
        let chosen_rows = rows.iter().zip(&chosen);
        let new: Vec<(&ImportRow, &str)> = chosen_rows
            .filter(|(_, (_, is_new))| *is_new)
            .map(|(row, (password, _))| (&**row, password.as_str()))
            .collect();
        kept.keep(&new)?;
        Ok(chosen.into_iter().map(|(password, _)| password).collect())
    }

    async fn hash(&self, password: String) -> anyhow::Result<String> {
        let _thread = self.threads.acquire().await?;
        tokio::task::spawn_blocking(move || distributed::hash(&password)).await?
    }
}

/// The administration of credentials, as an import uses it.
pub(crate) struct Calls {
    /// In the name of an administrator.
    pub client: AdministrationServiceClient<Channel>,
    /// For lines without a hash, if they make accounts.
    pub new_passwords: Option<NewPasswords>,
    /// Changes nothing.
    pub dry_run: bool,
}

impl Calls {
    /// Sends lines, a call at a time for some of them, and adds what became of each, in their order.
    ///
    /// # Errors
    /// A sentence when credentials answers no longer: what was added so far is done, and a few more lines may be.
    pub async fn all(
        &self,
        lines: Vec<Line>,
        bar: &ProgressBar,
        answered: &mut Vec<Answered>,
    ) -> anyhow::Result<()> {
        let calls = stream::iter(batches(lines)).map(|lines| self.one(lines));
        let mut calls = pin!(calls.buffered(AT_ONCE));
        while let Some(done) = calls.next().await {
            let done = done?;
            bar.inc(u64::try_from(done.len())?);
            answered.extend(done);
        }
        Ok(())
    }

    async fn one(&self, lines: Vec<Line>) -> anyhow::Result<Vec<Answered>> {
        let rows = lines.iter().map(|line| line.row.clone()).collect();
        let rows = match &self.new_passwords {
            Some(new_passwords) => new_passwords.give(rows).await?,
            None => rows,
        };
        let request = ImportAccountsRequest {
            rows,
            dry_run: self.dry_run,
        };
        let answers = self.call(request).await?;
        if answers.len() != lines.len() {
            bail!("{}行のうち{}行にしか答えがありません", lines.len(), answers.len());
        }
        Ok(lines.into_iter().zip(answers).collect())
    }

    /// Again when no replica takes it: whatever was done is not done twice.
    async fn call(&self, rows: ImportAccountsRequest) -> anyhow::Result<Vec<ImportedRow>> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let mut request = Request::new(rows.clone());
            request.set_timeout(PATIENCE);
            let answer = self.client.clone().import_accounts(request).await;
            let status = match answer {
                Ok(answer) => return Ok(answer.into_inner().rows),
                Err(status) => status,
            };
            let is_passing = matches!(
                status.code(),
                Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded
            );
            match pauses.next() {
                Some(pause) if is_passing => tokio::time::sleep(pause).await,
                _ => return Err(refused("取り込みを続けられません", &status)),
            }
        }
    }
}

/// Lines by the call, in their order.
fn batches(lines: Vec<Line>) -> Vec<Vec<Line>> {
    let mut batches: Vec<Vec<Line>> = Vec::new();
    let mut bytes = 0;
    for line in lines {
        let more = line.row.encoded_len();
        match batches.last_mut() {
            Some(batch) if batch.len() < ROWS && bytes + more <= BYTES => {
                bytes += more;
                batch.push(line);
            }
            _ => {
                bytes = more;
                batches.push(vec![line]);
            }
        }
    }
    batches
}
