//! The command line `sekisho`: administration and audit from a terminal.

mod log;

use clap::{Parser, Subcommand};

/// Administration and audit of Sekisho.
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The log of all sign-ins.
    Log {
        #[command(subcommand)]
        command: log::Command,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Log { command } => log::run(command).await,
    }
}
