//! `sekisho log show`

use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::Args;
use sekisho_eventlog::FlowId;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::entries::{self, Line};
use super::written;
use crate::accounts::Credentials;

/// Which entries, in which form.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    entries: Entries,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
}

/// Which entries, from where.
#[derive(Debug, Args)]
pub struct Entries {
    #[command(flatten)]
    of: Of,
    /// PostgreSQL connection string, as role `sekisho_reader`. In development type `eval "$(cargo dev env)"` first.
    #[arg(
        long,
        env = "SEKISHO_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database: String,
    #[command(flatten)]
    credentials: Credentials,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// All entries of one flow, whatever their kind; `--account` and `--account-id` show the flows' ids.
    #[arg(long, value_name = "ID", value_parser = id)]
    flow: Option<Uuid>,
    /// All entries of the account with this login id, which credentials is asked for.
    #[arg(long, value_name = "LOGIN")]
    account: Option<String>,
    /// All entries of the account with this id.
    #[arg(long, value_name = "ID", value_parser = id)]
    account_id: Option<Uuid>,
}

/// What is shown, resolved.
#[derive(Debug, Clone, Copy)]
pub enum Subject {
    Flow(FlowId),
    Account(Uuid),
}

/// What was read.
#[derive(Debug)]
pub struct Found {
    /// What was asked for.
    pub subject: Subject,
    /// In their order; at least one.
    pub lines: Vec<Line>,
    /// By the log's clock, afterwards.
    pub now: OffsetDateTime,
}

impl Show {
    /// Reads and prints.
    ///
    /// # Errors
    /// What went wrong, in a sentence; also when no entry was found.
    pub async fn run(self) -> anyhow::Result<()> {
        let Found { subject, lines, .. } = self.entries.read().await?;
        let mut output = io::stdout().lock();
        if self.json {
            written::json(&lines, &mut output)?;
        } else {
            writeln!(output, "{}", subject.title())?;
            written::table(&lines, matches!(subject, Subject::Account(_)), &mut output)?;
        }
        Ok(output.flush()?)
    }
}

impl Entries {
    /// Reads them, in their order.
    ///
    /// # Errors
    /// What went wrong, in a sentence; also when there are none.
    pub async fn read(&self) -> anyhow::Result<Found> {
        let subject = self.of.resolve(&self.credentials).await?;
        let mut connection = PgConnection::connect(&self.database)
            .await
            .context("PostgreSQL cannot be reached")?;
        let lines = match subject {
            Subject::Flow(flow) => entries::of_flow(&mut connection, flow).await,
            Subject::Account(account) => entries::of_account(&mut connection, account).await,
        };
        let lines = lines.context("the log cannot be read")?;
        if lines.is_empty() {
            bail!("no entry of the log names the {subject}");
        }
        let now = entries::now(&mut connection)
            .await
            .context("the log cannot be read")?;
        Ok(Found { subject, lines, now })
    }
}

impl Of {
    async fn resolve(&self, credentials: &Credentials) -> anyhow::Result<Subject> {
        match (self.flow, self.account_id, &self.account) {
            (Some(flow), ..) => Ok(Subject::Flow(FlowId(flow))),
            (None, Some(account), _) => Ok(Subject::Account(account)),
            (None, None, Some(login)) => Ok(Subject::Account(credentials.resolve(login).await?)),
            (None, None, None) => bail!("of which flow or account?"),
        }
    }
}

impl Subject {
    /// Above the table, which is in Japanese.
    fn title(self) -> String {
        match self {
            Self::Flow(flow) => format!("フロー {flow}"),
            Self::Account(account) => format!("アカウント {account}"),
        }
    }
}

/// In a sentence of ours.
impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flow(flow) => write!(f, "flow {flow}"),
            Self::Account(account) => write!(f, "account {account}"),
        }
    }
}

/// An id as it is typed.
fn id(text: &str) -> Result<Uuid, &'static str> {
    Uuid::try_parse(text).map_err(|_| {
        "an id looks like 01990a4c-7d3e-7c11-8a52-3f6b9d0e1c27, 32 hexadecimal digits in five groups; \
         with a login id use --account"
    })
}
