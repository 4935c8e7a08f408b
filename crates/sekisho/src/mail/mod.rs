//! `sekisho mail`

mod fate;
mod preview;
mod reconcile;
mod trace;

use clap::Subcommand;

/// What is written by mail, and what became of it.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows a letter as people get it.
    Preview(preview::Preview),
    /// What became of each mail of a flow or an account: owed, claimed, handed over, the relay's answer.
    Trace(trace::Trace),
    /// Whether every mail that was owed came to an end: mailed, failed, replaced, or too late.
    Reconcile(reconcile::Reconcile),
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in a sentence.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Preview(preview) => preview.run(),
        Command::Trace(trace) => trace.run().await,
        Command::Reconcile(reconcile) => reconcile.run().await,
    }
}
