//! `sekisho parked`

use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use sekisho_eventlog::Parked;

use crate::operator::Operator;
use crate::text::{clean, jst, table};

const TITLES: [&str; 7] = [
    "id",
    "service",
    "work",
    "entry",
    "attempts",
    "parked at (Japan)",
    "reason",
];

/// What can be done with parked work.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists work that keeps failing and was laid aside.
    List(Operator),
    /// Says why a piece of work was laid aside, and what can be done.
    Show(Piece),
    /// Has a piece of work tried again.
    Replay(Piece),
    /// Forgets a piece of work: it will never be done.
    Drop(Piece),
}

/// One piece of work.
#[derive(Debug, Args)]
pub struct Piece {
    /// As `sekisho parked list` names it.
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    id: i64,
    #[command(flatten)]
    operator: Operator,
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in a sentence.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List(operator) => {
            let log = operator.log().await?;
            let all = log.parked().await.context("the log cannot be read")?;
            list(&all, &mut io::stdout().lock())
        }
        Command::Show(piece) => piece.show().await,
        Command::Replay(piece) => piece.replay().await,
        Command::Drop(piece) => piece.drop_it().await,
    }
}

impl Piece {
    async fn show(self) -> anyhow::Result<()> {
        let log = self.operator.log().await?;
        let all = log.parked().await.context("the log cannot be read")?;
        let Some(parked) = all.into_iter().find(|parked| parked.id == self.id) else {
            bail!("nothing is parked as {}", self.id);
        };
        let mut output = io::stdout().lock();
        list(std::slice::from_ref(&parked), &mut output)?;
        writeln!(output)?;
        writeln!(output, "{}", explained(&parked.reason))?;
        // Also of a kind or an event that this version does not understand.
        let entry = log.entry(parked.about).await.ok().flatten();
        if let Some(flow) = entry.and_then(|entry| entry.recorded.flow) {
            writeln!(output, "What happened: sekisho log show --flow {flow}")?;
        }
        Ok(output.flush()?)
    }

    async fn replay(self) -> anyhow::Result<()> {
        let log = self.operator.log().await?;
        if !log.replay_parked(self.id).await.context("nothing was changed")? {
            bail!("nothing is parked as {}", self.id);
        }
        println!(
            "It is tried again within a few seconds. It leaves the list when it is done or need not be done any more, and comes \
             back when it fails five times again."
        );
        Ok(())
    }

    async fn drop_it(self) -> anyhow::Result<()> {
        let log = self.operator.log().await?;
        if !log.drop_parked(self.id).await.context("nothing was changed")? {
            bail!("nothing is parked as {}", self.id);
        }
        println!("Forgotten.");
        Ok(())
    }
}

/// What a reason means and what can be done.
fn explained(reason: &str) -> &'static str {
    match reason {
        "LOG_MISMATCH" => {
            "The log holds an entry of this account that the service does not understand: an update is under way, or was taken \
             back. Finish the update, then replay. The mail of a code that has died meanwhile (after ten minutes) is not sent; \
             the person asks for another one."
        }
        "PANIC" => {
            "The program failed over it: a mistake of ours. The service's log says where (`panicked`); send that line to the \
             developers. Replaying helps after an update."
        }
        _ => "This version of the program knows no more about this reason; the service's log may.",
    }
}

fn list(all: &[Parked], output: &mut impl Write) -> anyhow::Result<()> {
    if all.is_empty() {
        writeln!(output, "Nothing is parked.")?;
        return Ok(());
    }
    let rows: Vec<_> = std::iter::once(TITLES.map(str::to_owned))
        .chain(all.iter().map(row))
        .collect();
    Ok(table(&rows, output)?)
}

fn row(parked: &Parked) -> [String; 7] {
    let again = if parked.replay { ", is tried again" } else { "" };
    [
        parked.id.to_string(),
        clean(parked.role.trim_start_matches("sekisho_")),
        clean(&parked.work),
        parked.about.to_string(),
        parked.attempts.to_string(),
        jst(parked.parked_at),
        clean(&parked.reason) + again,
    ]
}
