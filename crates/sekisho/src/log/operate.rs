//! `sekisho log restored` and `sekisho log accept-clock`

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, bail};
use clap::Args;
use sekisho_eventlog::Log;

use crate::operator::Operator;
use crate::{maintenance, text};

/// Who acts in these events: whoever holds the role's password.
const ACTOR: &str = "sekisho_operator";

/// Where the log is, and whether to ask.
#[derive(Debug, Args)]
pub struct Operate {
    #[command(flatten)]
    operator: Operator,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

impl Operate {
    /// Begins an epoch.
    ///
    /// # Errors
    /// What went wrong, in a sentence.
    pub async fn restored(self) -> anyhow::Result<()> {
        let log = self.operator.log().await?;
        self.ask(&format!(
            "The newest entry of this log is {}.\n\
             With an epoch it becomes the true log. Everybody who is signed in or signing in then has to begin again.",
            newest(&log).await?
        ))?;
        let epoch = log
            .start_epoch(ACTOR)
            .await
            .context("no epoch was begun (only the role sekisho_operator may begin one)")?;
        println!(
            "An epoch begins with entry {} of {}. The services take the log up again by themselves.",
            epoch.position,
            text::jst(epoch.recorded_at)
        );
        // As it was when the copy was made: whoever has closed or opened one since then is asked to look.
        match maintenance::closed(&log).await {
            Ok(closed) => println!("{closed}"),
            Err(_) => println!(
                "Which hosts are closed, `sekisho maintenance show` says as soon as the log can be read."
            ),
        }
        Ok(())
    }

    /// Accepts the database's clock.
    ///
    /// # Errors
    /// What went wrong, in a sentence.
    pub async fn accept_clock(self) -> anyhow::Result<()> {
        let log = self.operator.log().await?;
        let last = log
            .recorded_at(log.head())
            .await
            .context("the log cannot be read")?;
        let Some(last) = last.filter(|last| *last > log.now()) else {
            bail!("the database's clock is not behind the newest entry: there is nothing to accept");
        };
        self.ask(&format!(
            "The newest entry is {}.\nThe database's clock says {}, which is earlier.\n\
             If that is right, new entries are recorded by it from now on; what was recorded too late stays as it is, and \
             sessions and codes of that time live longer by the difference.",
            newest(&log).await?,
            text::jst(log.now())
        ))?;
        let accepted = log
            .accept_clock(ACTOR, last)
            .await
            .context("the clock was not accepted")?;
        println!(
            "Entry {} was recorded at {}.",
            accepted.position,
            text::jst(accepted.recorded_at)
        );
        Ok(())
    }

    fn ask(&self, what: &str) -> anyhow::Result<()> {
        println!("{what}");
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            bail!("there is nobody to ask; with --yes it is done without asking");
        }
        print!("Type \"yes\" to go on: ");
        io::stdout().flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if answer.trim() == "yes" {
            Ok(())
        } else {
            bail!("nothing was changed");
        }
    }
}

/// Position and moment of the newest entry, in words.
async fn newest(log: &Log) -> anyhow::Result<String> {
    let recorded_at = log
        .recorded_at(log.head())
        .await
        .context("the log cannot be read")?;
    Ok(recorded_at.map_or_else(
        || "none".to_owned(),
        |at| format!("{}, recorded at {} (Japan)", log.head(), text::jst(at)),
    ))
}
