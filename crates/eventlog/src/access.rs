//! How a service reaches the log, by its settings.

use sekisho_service::settings::{BusUrl, Reader, Secret, Settings};
use sekisho_service::version;

use crate::bus;
use crate::log::{ConnectError, Log, LogSettings};

/// Where the log and its bus are: read alike by every service that works on it.
#[derive(Debug, Clone)]
pub struct LogAccess {
    /// PostgreSQL, as the service's own role.
    pub database_url: Secret<String>,
    /// The bus.
    pub nats_url: Option<BusUrl>,
    /// Whether a test's `log.now()` is accepted.
    pub test_clock: bool,
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
            database_url: self.database_url.expose().clone(),
            nats,
            service: format!("{role}/{}", version::VERSION),
            wake_on: wake_on.iter().map(ToString::to_string).collect(),
            test_clock: self.test_clock,
        };
        Log::connect_when_there(settings).await
    }
}
