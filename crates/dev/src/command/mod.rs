//! The commands of `cargo dev`.

mod bench;
mod cli;
mod env;
mod lock;
mod progress;
mod queries;
mod request;
mod reset;
mod screens;
mod state;
mod status;
mod test;
mod up;

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches};
use sekisho_dev::{disk, paths, signals};

use cli::{Cli, Task};

/// Runs the command that the command line names. A mistake is one sentence on standard error and exit code 1.
pub fn main() -> ExitCode {
    let version = format!("{} ({})", env!("CARGO_PKG_VERSION"), commit());
    let matches = Cli::command().version(&*version.leak()).get_matches();
    let result = Cli::from_arg_matches(&matches)
        .map_err(Into::into)
        .and_then(|cli| run(cli.task));
    result.unwrap_or_else(|mistake: anyhow::Error| {
        eprintln!("cargo dev: {}", sentence(&mistake));
        if signals::received() > 0 {
            ExitCode::from(signals::INTERRUPTED)
        } else {
            ExitCode::FAILURE
        }
    })
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Up(options) => up::run(&options)?,
        Task::Status { json } => return status::run(json),
        Task::Env => env::run()?,
        Task::Reset => reset::run()?,
        Task::Kill { part } => request::send("kill", &part)?,
        Task::Start { part } => request::send("start", &part)?,
        Task::Test(options) => test::run(&options)?,
        Task::Bench { what } => return bench::run(&what),
        Task::Screens { options } => return screens::run(&options),
        Task::Prepare => queries::prepare()?,
        Task::Completions { shell } => {
            // clap panics on an output that is closed early; a buffer never is.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "dev", &mut script);
            std::io::stdout().write_all(&script)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn sentence(mistake: &anyhow::Error) -> String {
    let full = disk::is_full(mistake) || paths::kept().is_ok_and(|folder| disk::is_out(&folder));
    if full {
        format!("the disk is full ({mistake:#})")
    } else {
        format!("{mistake:#}")
    }
}

/// The commit of the checkout that this program belongs to.
fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["rev-parse", "--short=12", "HEAD"])
        .current_dir(paths::workspace());
    let output = git.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let text = output
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default();
    if text.trim().is_empty() {
        "unknown commit".to_owned()
    } else {
        text.trim().to_owned()
    }
}
