//! The schema `log`.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};

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
    let options: PgConnectOptions = database_url.parse()?;
    let mut connection: PgConnection = options.connect().await?;
    connection.execute("set role sekisho_owner").await?;
    connection.execute("create schema if not exists log").await?;
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.dangerous_set_table_name("log.migration");
    migrator.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
