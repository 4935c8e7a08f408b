//! The command line.

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use sekisho_dev::Service;

/// Starts the real parts of Sekisho on this machine, privately, for people and for tests.
///
/// Everything listens on loopback only and keeps its data under target/dev (as root: PostgreSQL's data under
/// /var/tmp, because PostgreSQL refuses to run as root). The variable SEKISHO_DEV_FOLDER names another folder, for a
/// second `up` beside the first (with --port and --mailbox-port).
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub task: Task,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Start everything and show where it is; Ctrl-C stops it
    ///
    /// Names what is missing on this machine (PostgreSQL, NATS server) and installs it with apt after asking. Builds
    /// all services, starts them with private servers on free ports, and registers the demo accounts. Accounts and
    /// history stay until `cargo dev reset`. What an earlier `up` left running when it was killed is ended first.
    Up(UpOptions),
    /// Show every process of a running `up`, and where the log files are
    Status {
        /// One JSON document: processes, addresses, connection strings with passwords, log files
        #[arg(long)]
        json: bool,
    },
    /// Print variables for the program `sekisho`: eval "$(cargo dev env)"
    ///
    /// With them `sekisho log show --account 04500001` shows what happened to that account.
    Env,
    /// Forget all data of `up`: accounts, history, keys
    Reset,
    /// Kill a part of a running `up` with SIGKILL, to see what happens, and print which process that was
    Kill {
        /// Which one
        #[arg(value_parser = parts())]
        part: String,
    },
    /// Start a part of a running `up` again, and print its process and addresses
    Start {
        /// Which one
        #[arg(value_parser = parts())]
        part: String,
    },
    /// Run every check: format, lints, queries, tests
    ///
    /// Installs with apt what the tests need (chromium, chromium-driver, a Japanese font, PostgreSQL, NATS server, npm).
    /// Needs no terminal. Says at the end how long each step took.
    Test(TestOptions),
    /// Measure how fast it is, beside what this machine can do
    ///
    /// `cargo dev bench` lists what can be measured, `cargo dev bench log --help` says how much of it. Builds everything
    /// optimised first.
    Bench {
        /// What, and its options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        what: Vec<String>,
    },
    /// Take a picture of every page and state of the portal, into docs/screens
    ///
    /// `cargo dev screens sent verified` takes those two; `cargo dev screens --help` says more.
    Screens {
        /// Which, and options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Check all SQL queries against a fresh database and write .sqlx/ anew
    Prepare,
    /// Print a completion script for the program `dev` in target/tool, which `cargo dev` runs
    Completions {
        /// For which shell
        shell: Shell,
    },
}

/// Options of `up`.
#[derive(Debug, Args)]
pub struct UpOptions {
    /// Port of the portal
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Port of the mailbox's page
    #[arg(long, default_value_t = 8025, value_parser = clap::value_parser!(u16).range(1..))]
    pub mailbox_port: u16,
    /// Port of the provider of NCR accounts, which is there if npm is
    #[arg(long, default_value_t = 8081, value_parser = clap::value_parser!(u16).range(1..))]
    pub ncr_port: u16,
    /// Let the portal speak TLS, with a certificate of its own that browsers warn about
    #[arg(long)]
    pub https: bool,
    /// Use this PostgreSQL, whose roles and one database are for Sekisho alone: the superuser's connection string
    ///
    /// Roles, schemas and demo accounts are made in it, and stay when everything else is stopped; a server that another
    /// installation uses is left alone. The keys that belong to it are in target/dev: after `cargo dev reset` it can no longer
    /// be read, and another server is needed. In the variable nobody else on this machine sees the password, and cargo does
    /// not print it.
    #[arg(
        long,
        env = "SEKISHO_DEV_POSTGRES_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub postgres: Option<String>,
    /// Use this NATS and no private one, with one user for all services
    ///
    /// In the variable nobody else on this machine sees the password, and cargo does not print it.
    #[arg(
        long,
        env = "SEKISHO_DEV_NATS_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub nats: Option<String>,
    /// Install what is missing without asking
    #[arg(long)]
    pub yes: bool,
}

/// Options of `test`.
#[derive(Debug, Args)]
pub struct TestOptions {
    /// Run a part of the long tier instead; without a name, list the parts (`all` runs them all)
    #[arg(long, value_name = "PART", num_args = 0..=1, default_missing_value = "")]
    pub long: Option<String>,
    /// Run the tests this many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: u32,
}

/// Every part of an `up`, so that a shell can complete the names.
fn parts() -> PossibleValuesParser {
    let servers = ["postgres", "nats", "mailbox", "ncr-provider"];
    PossibleValuesParser::new(servers.into_iter().chain(Service::ALL.map(Service::name)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
