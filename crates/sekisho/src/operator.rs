//! The log, as an operator reaches it.

use anyhow::Context;
use clap::Args;
use sekisho_eventlog::{Log, LogSettings};
use sekisho_service::version;

/// Where the log is.
#[derive(Debug, Args)]
pub struct Operator {
    /// PostgreSQL connection string, as role `sekisho_operator`. In development type `eval "$(cargo dev env)"` first.
    #[arg(
        long,
        env = "SEKISHO_OPERATOR_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database: String,
}

impl Operator {
    /// Connects.
    ///
    /// # Errors
    /// What went wrong, in a sentence.
    pub async fn log(&self) -> anyhow::Result<Log> {
        let settings = LogSettings {
            database_url: self.database.clone(),
            nats: None,
            service: format!("sekisho/{}", version::VERSION),
            wake_on: Vec::new(),
            test_clock: false,
        };
        Log::connect(settings).await.context("the log cannot be used")
    }
}
