//! `sekisho mail`

mod fate;
mod preview;
mod reconcile;
#[cfg(test)]
mod sample;
mod trace;

use clap::Subcommand;

/// What is written by mail, and what became of it.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows a letter as people get it.
    Preview(preview::Preview),
    /// What became of each mail of a flow or an account: owed, claimed, handed over, the relay's answer.
    Trace(trace::Trace),
    /// How every code that was to be mailed ended: mailed, failed, replaced, or too late.
    ///
    /// Complains of codes that nobody tried to mail, and of outcomes without a code.
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
