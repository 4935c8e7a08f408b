//! The schema `credentials`, and the command that brings it up to date.

use std::process::ExitCode;

use sekisho_eventlog::{MigrateError, migrate_schema};

/// Where the command finds the connection string, unless it is told on the command line.
const VARIABLE: &str = "SEKISHO_MIGRATE_DATABASE_URL";
const USAGE: &str = "usage: sekisho-credentials migrate [--database URL]

Brings the schema `credentials` up to date; `sekisho log migrate` comes first. URL is the PostgreSQL connection string
of a role that is a member of `sekisho_owner`; without it the variable SEKISHO_MIGRATE_DATABASE_URL counts.";

/// Brings the schema `credentials` up to date. The schema `log` must be there already, and the caller's role must be a
/// member of `sekisho_owner`, which owns everything.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate(database_url: &str) -> Result<(), MigrateError> {
    migrate_schema(database_url, "credentials", sqlx::migrate!("./migrations")).await
}

/// `sekisho-credentials migrate …`: 0 when the schema is up to date, 64 for a command line that says something else.
pub fn command(arguments: &[String]) -> ExitCode {
    let database_url = match arguments {
        [] => std::env::var(VARIABLE).ok(),
        [flag, url] if flag == "--database" => Some(url.clone()),
        [flag] => flag.strip_prefix("--database=").map(str::to_owned),
        _ => None,
    };
    let Some(database_url) = database_url else {
        eprintln!("{USAGE}");
        return ExitCode::from(sekisho_service::process::EXIT_CONFIGURATION);
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(migrate(&database_url)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!(
        "sekisho-credentials: the schema credentials was not brought up to date: {}",
        sekisho_service::chain(error)
    );
    ExitCode::FAILURE
}
