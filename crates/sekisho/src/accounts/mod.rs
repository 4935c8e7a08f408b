//! `sekisho accounts`

mod add;
mod change;
mod credentials;
mod show;

use clap::{Args, Subcommand};

pub use credentials::Credentials;

/// What can be done with accounts. Whoever does it is named in the log by the subject of the certificate.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes an account. Its owner sets the password by 「パスワードを忘れた場合（再設定）」, unless one is distributed.
    Add(add::Add),
    /// Shows what is known of an account, and what keeps its owner out.
    Show(show::Show),
    /// Lists accounts in the order of their login ids.
    List(show::List),
    /// Forbids to sign in, and ends all sessions.
    Disable(One),
    /// Allows to sign in again.
    Enable(One),
    /// Ends locks after wrong passwords; after a hundred of them only a new password helps.
    Unlock(One),
    /// Has codes mailed elsewhere from now on; ends sign-ins and resets that are under way.
    SetEmail(change::SetEmail),
    /// Declares the password used up, and ends all sessions: at the next sign-in the owner chooses another one, with a code by
    /// mail. Nobody else ever chooses or sees it.
    Reset(One),
    /// Destroys name, address, password and key of an account. What the log keeps of the person's browsers cannot be read
    /// again, except with a backup of the tables from before and the master key: such backups must go as well. Cannot be
    /// undone.
    Erase(change::Erase),
}

/// One account.
#[derive(Debug, Args)]
pub struct One {
    /// The login id.
    #[arg(value_name = "LOGIN")]
    login: String,
    #[command(flatten)]
    credentials: Credentials,
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in a sentence.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(add) => add.run().await,
        Command::Show(show) => show.run().await,
        Command::List(list) => list.run().await,
        Command::Disable(one) => change::disable(one).await,
        Command::Enable(one) => change::enable(one).await,
        Command::Unlock(one) => change::unlock(one).await,
        Command::SetEmail(set) => set.run().await,
        Command::Reset(one) => change::reset(one).await,
        Command::Erase(erase) => erase.run().await,
    }
}
