//! How a service reaches PostgreSQL and the bus.

use std::time::Duration;

use async_nats::Client;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};
use tokio::time::timeout;

use crate::read::{READ, READERS, ReadError};

/// How long a reading connection may take to show that it can be used again.
const RELEASE: Duration = Duration::from_secs(1);

/// How a service reaches the log.
#[derive(Clone)]
pub struct LogSettings {
    /// The PostgreSQL connection string, with the service's own role.
    pub database_url: String,
    /// The bus; without it everything happens a second later.
    pub nats: Option<Client>,
    /// Service and version, such as `otp/0.1.0`; stands in the metadata of what it writes.
    pub service: String,
    /// The NATS subjects whose messages wake this process.
    pub wake_on: Vec<String>,
    /// Whether a test's `log.now()` is accepted.
    pub test_clock: bool,
}

/// Why the log is not used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The connection string is none.
    #[error("the connection string cannot be read")]
    Url,
    /// The address of the bus is none.
    #[error("the address of NATS cannot be used")]
    Bus(#[from] async_nats::ConnectError),
    /// PostgreSQL did not answer.
    #[error(transparent)]
    Read(ReadError),
    /// PostgreSQL cannot be reached with the encryption that the connection string asks for.
    #[error("no encrypted connection to PostgreSQL")]
    Tls(#[source] sqlx::Error),
    /// The role lacks settings that `deploy/postgres/roles.sql` gives it.
    #[error("the role lacks settings of deploy/postgres/roles.sql: {}", .0.join(", "))]
    Unguarded(Vec<String>),
    /// `log.now()` is not the function that the migration made.
    #[error("log.now() is not the database's clock: this log belongs to a test")]
    TestClock,
}

impl From<ReadError> for ConnectError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(error) if is_about_encryption(&error) => Self::Tls(error),
            other => Self::Read(other),
        }
    }
}

/// What waiting does not mend: a server without TLS, an authority that cannot be read, a certificate of somebody else.
fn is_about_encryption(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => true,
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// Connections as this role, whatever it has changed of its own defaults.
///
/// # Errors
/// [`ConnectError::Url`].
pub(crate) fn connect_options(settings: &LogSettings) -> Result<PgConnectOptions, ConnectError> {
    let options: PgConnectOptions = settings.database_url.parse().map_err(|_| ConnectError::Url)?;
    // A role can change its own default; any other level would keep every append out. Whether the server takes writes is
    // the operator's choice and stays with `default_transaction_read_only`.
    let session = [
        ("default_transaction_isolation", "read committed"),
        // Values stand in the text of statements, see `statement`.
        ("standard_conforming_strings", "on"),
    ];
    Ok(options
        .application_name(&settings.service)
        .options(session)
        .disable_statement_logging())
}

/// Connections for reads: plans name the segments that a bound leaves, and nothing else.
pub(crate) fn reading_pool(options: &PgConnectOptions) -> PgPool {
    let bounded = options
        .clone()
        .options([("plan_cache_mode", "force_custom_plan")]);
    PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(READ)
        // Each would cost a round trip before its read. The poll of the head meets connections that have ended within half a second,
        // and reads are done again on others.
        .test_before_acquire(false)
        // Every connection that comes back is asked for a sign of life, also one whose read was given up. Without a limit
        // here, one on a broken network path would keep its place in the pool for a quarter of an hour.
        .after_release(|connection, _| {
            Box::pin(async {
                let alive = timeout(RELEASE, connection.ping()).await;
                alive.map_err(|_| sqlx::Error::PoolTimedOut)?.map(|()| true)
            })
        })
        .connect_lazy_with(bounded)
}
