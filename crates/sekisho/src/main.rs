//! The command line `sekisho`: administration and audit from a terminal.

mod accounts;
mod certificates;
mod completions;
mod log;
mod mail;
mod maintenance;
mod operator;
mod parked;
mod progress;
mod sessions;
mod text;

use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{Parser, Subcommand};
use sekisho_service::version;

/// What `--version` says after the program's name.
static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (commit {})", version::VERSION, version::COMMIT));

/// Administration and audit of Sekisho.
#[derive(Debug, Parser)]
#[command(name = "sekisho", version = VERSION.as_str(), about, arg_required_else_help = true)]
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
    /// Who may sign in.
    Accounts {
        #[command(subcommand)]
        command: accounts::Command,
    },
    /// Whoever is signed in.
    Sessions {
        #[command(subcommand)]
        command: sessions::Command,
    },
    /// Letters, and what became of them.
    Mail {
        #[command(subcommand)]
        command: mail::Command,
    },
    /// Work that keeps failing and was laid aside.
    Parked {
        #[command(subcommand)]
        command: parked::Command,
    },
    /// Whether the portal is open for people.
    Maintenance {
        #[command(subcommand)]
        command: maintenance::Command,
    },
    /// Writes a completion script for a shell to standard output.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sekisho: {}", sekisho_service::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Log { command } => log::run(command).await,
        Command::Accounts { command } => accounts::run(command).await,
        Command::Sessions { command } => sessions::run(command).await,
        Command::Mail { command } => mail::run(command).await,
        Command::Parked { command } => parked::run(command).await,
        Command::Maintenance { command } => maintenance::run(command).await,
        Command::Completions { shell } => Ok(completions::write::<Arguments>(shell, &mut io::stdout())?),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_version_names_the_commit() {
        let version = Arguments::command().render_version();
        assert_eq!(version.trim_end(), version::line("sekisho"));
    }
}
