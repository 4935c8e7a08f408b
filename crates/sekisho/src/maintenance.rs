//! `sekisho maintenance`

use std::io::{self, Write};

use anyhow::Context;
use clap::{Args, Subcommand};
use sekisho_eventlog::{Log, MOST_CLOSED};

use crate::operator::Operator;

/// Who acts in these events: whoever holds the role's password.
const ACTOR: &str = "sekisho_operator";

/// What can be done about the hosts of the portal.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Closes a host: people see メンテナンス中, and where else the portal is. Whoever is signed in stays signed in.
    On(Host),
    /// Opens it again.
    Off(Host),
    /// Says which hosts are closed.
    Show(Operator),
}

/// A host of the portal.
#[derive(Debug, Args)]
pub struct Host {
    /// As browsers name it, without port.
    #[arg(long, value_name = "HOST", default_value = "portal.internal.gtol.ncc.go.jp", value_parser = name)]
    host: String,
    #[command(flatten)]
    operator: Operator,
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in a sentence.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::On(host) => host.change(true).await,
        Command::Off(host) => host.change(false).await,
        Command::Show(operator) => {
            let closed = closed(&operator.log().await?).await?;
            Ok(writeln!(io::stdout().lock(), "{closed}")?)
        }
    }
}

/// Which hosts are closed, in a sentence for each.
///
/// # Errors
/// The log cannot be read.
pub async fn closed(log: &Log) -> anyhow::Result<String> {
    let closed = log.closed_hosts().await.context("the log cannot be read")?;
    if closed.is_empty() {
        return Ok("No host is closed.".to_owned());
    }
    let sentences = closed.iter().map(|host| format!("{host} is closed for people."));
    Ok(sentences.collect::<Vec<_>>().join("\n"))
}

impl Host {
    async fn change(self, closed: bool) -> anyhow::Result<()> {
        let log = self.operator.log().await?;
        let changed = log.change_maintenance(ACTOR, &self.host, closed).await;
        let changed = changed.with_context(|| {
            format!(
                "nothing was changed (only the role sekisho_operator may change it, and at most {MOST_CLOSED} hosts are \
                 closed at once)"
            )
        })?;
        let (host, state) = (self.host, if closed { "closed" } else { "open" });
        match changed {
            Some(receipt) => println!(
                "{host} is {state} for people, by entry {}. Gateways that serve a host of exactly this name follow within a few seconds: \
                 look at https://{host}/signin.",
                receipt.position
            ),
            None => println!("{host} is {state} for people already."),
        }
        Ok(())
    }
}

/// A name as the gateway compares it.
fn name(text: &str) -> Result<String, &'static str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if text.is_empty() || text.len() > 253 || !text.chars().all(is_name) {
        return Err("a host is a name without port and scheme");
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_without_anything_else() {
        assert_eq!(name("Portal2.Localhost").as_deref(), Ok("portal2.localhost"));
        for other in ["", "https://portal", "portal:8080", "portal/", "ポータル"] {
            assert!(name(other).is_err(), "{other}");
        }
    }
}
