//! Processes of a benchmark: this program, started by itself.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::{append, echo, rebuild};

/// What a process does.
#[derive(Debug, Subcommand)]
pub enum Work {
    /// Appends to the log
    Append(append::Share),
    /// Folds the log like a replica of sessions
    Rebuild {
        /// The connection string of sessions
        url: String,
    },
    /// Answers Check with a constant
    EchoService,
    /// Asks the service on each request
    EchoFront {
        /// Where the service is
        service: String,
    },
}

/// Does it.
pub async fn run(work: Work) -> Result<()> {
    match work {
        Work::Append(share) => append::work(share).await,
        Work::Rebuild { url } => rebuild::work(&url).await,
        Work::EchoService => echo::service().await,
        Work::EchoFront { service } => echo::front(&service).await,
    }
}

/// A process that has said its first line and waits for a word.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What it said first.
    pub said: String,
}

impl Worker {
    /// Starts a process; it ends with this value.
    pub async fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("worker")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a process")?;
        let input = child.stdin.take().context("no input")?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let mut said = String::new();
        output.read_line(&mut said).await?;
        if said.is_empty() {
            bail!("a process of the benchmark ended early");
        }
        Ok(Self {
            child,
            input,
            output,
            said: said.trim().to_owned(),
        })
    }

    /// Lets it begin.
    pub async fn go(&mut self) -> Result<()> {
        Ok(self.input.write_all(b"go\n").await?)
    }

    /// All else that it says, until it ends.
    pub async fn end(mut self) -> Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.output.read_to_end(&mut rest).await?;
        let status = self.child.wait().await?;
        if !status.success() {
            bail!("a process of the benchmark failed: {status}");
        }
        Ok(rest)
    }
}

/// Within a process: says a line and waits for the word to begin.
pub async fn ready(line: &str) -> Result<()> {
    println!("{line}");
    let mut word = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut word).await?;
    Ok(())
}
