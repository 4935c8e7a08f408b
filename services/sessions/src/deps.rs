//! What the service waits for when it starts: PostgreSQL and NATS may come later than this process.

use sekisho_eventlog::{ConnectError, Log, LogSettings, bus};
use sekisho_service::{roles, version};

use crate::config::Config;

/// Whose messages wake this service.
const WAKE_ON: [&str; 3] = ["signin.account.>", "signin.code.>", "signin.session.>"];

/// A dependency that will not come by waiting.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string of NATS is none.
    #[error("NATS_URL cannot be used")]
    Nats(#[from] async_nats::ConnectError),
    /// The log is not to be used, or its connection string is none.
    #[error("the log cannot be used")]
    Log(#[from] ConnectError),
}

/// The log, as soon as PostgreSQL answers.
///
/// # Errors
/// [`Error`] for what waiting does not mend.
pub(crate) async fn connect(config: &Config) -> Result<Log, Error> {
    let nats = match &config.nats_url {
        Some(url) => Some(bus::connect(url.server(), url.login(), roles::SESSIONS).await?),
        None => None,
    };
    let settings = LogSettings {
        database_url: config.database_url.expose().clone(),
        nats,
        service: format!("{}/{}", roles::SESSIONS, version::VERSION),
        wake_on: WAKE_ON.map(str::to_owned).to_vec(),
        test_clock: config.test_clock,
    };
    Ok(Log::connect_when_there(settings).await?)
}
