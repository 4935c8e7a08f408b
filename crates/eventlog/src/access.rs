//! How a service reaches the log, by its settings.

use sekisho_service::settings::{BusUrl, Reader, Secret, Settings, Value, is_loopback};
use sekisho_service::version;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::bus;
use crate::connect::{ConnectError, LogSettings};
use crate::log::Log;

/// Where the log and its bus are: read alike by every service that works on it.
#[derive(Debug, Clone)]
pub struct LogAccess {
    /// PostgreSQL, as the service's own role.
    pub database_url: DatabaseUrl,
    /// The bus.
    pub nats_url: Option<BusUrl>,
    /// Whether a test's `log.now()` is accepted.
    pub test_clock: bool,
}

/// Where PostgreSQL is: `postgres://role:password@host:port/database`, beyond this machine with
/// `?sslmode=verify-full&sslrootcert=…`. Never printed.
#[derive(Debug, Clone)]
pub struct DatabaseUrl(Secret<String>);

impl Value for DatabaseUrl {
    const KIND: &'static str = "PostgreSQL URL";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let options: PgConnectOptions = text
            .parse()
            .map_err(|_| "is not postgres://role:password@host:port/database".to_owned())?;
        let stays_here = options.get_socket().is_some()
            || options.get_host().starts_with('/')
            || is_loopback(options.get_host());
        if stays_here || matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
            Ok(Self(Secret::new(text.to_owned())))
        } else {
            Err("leaves this machine without a checked certificate; add ?sslmode=verify-full".to_owned())
        }
    }
}

impl Settings for LogAccess {
    fn read(reader: &mut Reader) -> Option<Self> {
        let database_url = reader.required(
            "DATABASE_URL",
            "PostgreSQL with the log, as the role of this service",
        );
        let nats_url = reader.optional(
            "NATS_URL",
            "NATS, as the user of this service; without it everything happens a second later",
        );
        let clocks = [("refused", false), ("allowed", true)];
        let test_clock = reader.choice(
            "TEST_CLOCK",
            &clocks,
            "refused",
            "whether a log with a test's clock is accepted",
        );
        Some(Self {
            database_url: database_url?,
            nats_url: nats_url?,
            test_clock: test_clock?,
        })
    }
}

impl LogAccess {
    /// The log, as the service of a role holds it, woken by the messages of some subjects. Waits for PostgreSQL as long as
    /// it takes.
    ///
    /// # Errors
    /// [`ConnectError`] for what waiting does not mend.
    pub async fn connect(&self, role: &str, wake_on: &[&str]) -> Result<Log, ConnectError> {
        let nats = match &self.nats_url {
            Some(url) => Some(bus::connect(url.server(), url.login(), role).await?),
            None => None,
        };
        let settings = LogSettings {
            database_url: self.database_url.0.expose().clone(),
            nats,
            service: format!("{role}/{}", version::VERSION),
            wake_on: wake_on.iter().map(ToString::to_string).collect(),
            test_clock: self.test_clock,
        };
        Log::connect_when_there(settings).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_reached_beyond_this_machine_only_with_a_checked_certificate() {
        for private in [
            "postgres://otp:canary@127.0.0.1:5432/sekisho",
            "postgres://otp:canary@localhost/sekisho",
            "postgres://otp@%2Fvar%2Frun%2Fpostgresql/sekisho",
            "postgres://otp:canary@db:5432/sekisho?sslmode=verify-full&sslrootcert=/ca.pem",
        ] {
            assert!(DatabaseUrl::parse(private).is_ok(), "{private}");
        }
        for open in ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca"] {
            let refused = DatabaseUrl::parse(&format!("postgres://otp:canary@db:5432/sekisho{open}"));
            let mistake = refused.unwrap_err();
            assert!(
                mistake.contains("verify-full") && !mistake.contains("canary"),
                "{open}"
            );
        }
        assert!(DatabaseUrl::parse("mysql://db").is_err());
    }
}
