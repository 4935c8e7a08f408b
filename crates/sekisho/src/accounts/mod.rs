//! `sekisho accounts`

mod add;
mod change;
mod columns;
mod credentials;
mod distributed;
mod explain;
mod export;
mod import;
mod listed;
mod locks;
mod own_file;
mod refusal;
mod review;
mod show;
mod spreadsheet;

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
    /// For whoever answers the telephone: what lately happened to somebody, what keeps the person out, and what to say.
    Explain(explain::Explain),
    /// Makes accounts what a list says they should be: new ones, transfers, new addresses, who is disabled. Only compares unless
    /// --apply is given. A line says only what it fills in, whatever is so already stays, and nobody's password changes: the same
    /// list again does nothing. Transfers and disabling end sessions.
    Import(import::Import),
    /// Writes accounts to standard output as CSV, as `import` reads them; without passwords.
    Export(export::Export),
    /// The list that a facility goes through each year: who has an account, since when, and who has not used it.
    Review(review::Review),
    /// Forbids to sign in, and ends all sessions.
    Disable(One),
    /// Allows to sign in again.
    Enable(One),
    /// Ends locks after wrong passwords and codes, and frees the mails of resets where their limit was reached; after a hundred wrong
    /// passwords only a new one helps. Does not help a disabled account.
    Unlock(One),
    /// Has codes mailed elsewhere from now on; ends sign-ins and resets that are under way. Verify who asks first; the old address is
    /// told by mail. Sessions go on.
    SetEmail(change::SetEmail),
    /// Links the account with a person's at the NCR provider: it opens there from now on, without a code, and no password does. Ends all
    /// sessions.
    LinkNcr(change::LinkNcr),
    /// Expires the password, for one that may have leaked (whoever only forgot it uses the link on the page), and ends all sessions:
    /// at the next sign-in the owner chooses another one, with a code by
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
        Command::Explain(explain) => explain.run().await,
        Command::Import(import) => import.run().await,
        Command::Export(export) => export.run().await,
        Command::Review(review) => review.run().await,
        Command::Disable(one) => change::disable(one).await,
        Command::Enable(one) => change::enable(one).await,
        Command::Unlock(one) => change::unlock(one).await,
        Command::SetEmail(set) => set.run().await,
        Command::LinkNcr(link) => link.run().await,
        Command::Reset(one) => change::reset(one).await,
        Command::Erase(erase) => erase.run().await,
    }
}
