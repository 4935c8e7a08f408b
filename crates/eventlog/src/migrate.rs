//! The schema `log`, and how any schema of the installation is brought up to date.

use std::process::ExitCode;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

/// Why the schema is not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// PostgreSQL did not answer or refused.
    #[error("PostgreSQL refused")]
    Database(#[from] sqlx::Error),
    /// A migration failed or differs from the one that ran.
    #[error("a migration failed")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// Brings the schema `log` up to date. The caller's role must be a member of `sekisho_owner`, which owns everything.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate(database_url: &str) -> Result<(), MigrateError> {
    migrate_schema(database_url, "log", sqlx::migrate!("./migrations")).await
}

/// Brings a schema up to date. The caller's role must be a member of `sekisho_owner`.
async fn migrate_schema(
    database_url: &str,
    schema: &'static str,
    mut migrator: Migrator,
) -> Result<(), MigrateError> {
    let options: PgConnectOptions = database_url.parse()?;
    let mut connection: PgConnection = options.connect().await?;
    connection.execute("set role sekisho_owner").await?;
    let create = format!("create schema if not exists {schema}");
    connection.execute(AssertSqlSafe(create)).await?;
    migrator.dangerous_set_table_name(format!("{schema}.migration"));
    migrator.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Where a service's command finds the connection string, unless it is told on the command line.
const VARIABLE: &str = "SEKISHO_MIGRATE_DATABASE_URL";

/// A service's own schema.
#[derive(Debug)]
pub struct ServiceSchema {
    /// The service's program.
    pub program: &'static str,
    /// The schema.
    pub name: &'static str,
    /// Its migrations.
    pub migrations: Migrator,
}

impl ServiceSchema {
    /// Brings the schema up to date, as `<program> migrate …`; the schema `log` must be there already. 0 when it is up to
    /// date, 64 for a command line that says something else.
    pub fn command(self, arguments: &[String]) -> ExitCode {
        let Self {
            program,
            name,
            migrations,
        } = self;
        let database_url = match arguments {
            [] => std::env::var(VARIABLE).ok(),
            [flag, url] if flag == "--database" => Some(url.clone()),
            [flag] => flag.strip_prefix("--database=").map(str::to_owned),
            _ => None,
        };
        let Some(database_url) = database_url else {
            eprintln!(
                "usage: {program} migrate [--database URL]

Brings the schema `{name}` up to date; `sekisho log migrate` comes first. URL is the PostgreSQL connection string
of a role that is a member of `sekisho_owner`; without it the variable {VARIABLE} counts."
            );
            return ExitCode::from(sekisho_service::process::EXIT_CONFIGURATION);
        };
        let failed = |error: &(dyn std::error::Error + 'static)| {
            let error = sekisho_service::chain(error);
            eprintln!("{program}: the schema {name} was not brought up to date: {error}");
            ExitCode::FAILURE
        };
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&error),
        };
        match runtime.block_on(migrate_schema(&database_url, name, migrations)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        }
    }
}
