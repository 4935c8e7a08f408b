//! The program `sekisho-seed`: certificates, keys and demo accounts for development and tests.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Makes what a private Sekisho needs before anybody can sign in. Nothing of it is meant for production.
#[derive(Debug, Parser)]
#[command(name = "sekisho-seed", version)]
struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write a small certificate authority, a certificate for each role, and the services' key files
    ///
    /// What is there stays as it is.
    Keys {
        /// Where to write them
        #[arg(long)]
        directory: PathBuf,
    },
    /// Register the demo accounts, unless they are registered
    Accounts {
        /// The administration listener of credentials: https://127.0.0.1:port
        #[arg(long)]
        credentials: String,
        /// The folder that `sekisho-seed keys` wrote
        #[arg(long)]
        certificates: PathBuf,
        /// Also somebody who signs in with an NCR account; credentials needs a provider
        #[arg(long)]
        staff: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse().task).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(mistake) => {
            eprintln!("sekisho-seed: {mistake:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(task: Task) -> Result<()> {
    match task {
        Task::Keys { directory } => sekisho_seed::write_keys(&directory),
        Task::Accounts {
            credentials,
            certificates,
            staff,
        } => sekisho_seed::register(&credentials, &certificates, staff).await,
    }
}
