//! `sekisho log`

pub mod entries;
mod operate;
mod said;
mod show;
mod written;

pub use entries::Line;
pub use said::topic_in_words;
pub use show::{Entries, Found};

use anyhow::Context;
use clap::Subcommand;

/// What can be done with the log.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Brings the schema `log` up to date.
    Migrate {
        /// PostgreSQL connection string of a role that is a member of `sekisho_owner`.
        #[arg(long, env = "SEKISHO_MIGRATE_DATABASE_URL", hide_env_values = true)]
        database: String,
    },
    /// Shows what happened in one flow or to one account.
    ///
    /// Changes nothing and needs the role `sekisho_reader` only. Times are Japan's. What is sealed is shown as 封印,
    /// of digests only the beginning.
    Show(Box<show::Show>),
    /// Declares the log as it is now to be the true one, after a restored backup or a failover that lost entries.
    ///
    /// Until then the services that noticed it answer nothing (`LOG_WENT_BACK`). Signs everybody out.
    Restored(operate::Operate),
    /// Accepts that the database's clock is behind the newest entry, when that one was wrong.
    ///
    /// Until then, or until time has caught up, nothing is recorded (`CLOCK_WENT_BACK`).
    AcceptClock(operate::Operate),
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in a sentence.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Migrate { database } => sekisho_eventlog::migrate(&database)
            .await
            .context("the schema log was not brought up to date"),
        Command::Show(show) => show.run().await,
        Command::Restored(operate) => operate.restored().await,
        Command::AcceptClock(operate) => operate.accept_clock().await,
    }
}
