//! The schema `log`, and how any schema of the installation is brought up to date.

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

/// Brings a schema up to date by a service's own migrations. The caller's role must be a member of `sekisho_owner`.
///
/// # Errors
/// [`MigrateError`].
pub async fn migrate_schema(
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
