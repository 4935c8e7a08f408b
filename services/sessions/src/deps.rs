//! What the service waits for when it starts: PostgreSQL and NATS may come later than this process.

use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use sekisho_eventlog::{ConnectError, Log, LogSettings};

use crate::config::Config;

/// Between two attempts to reach PostgreSQL.
const PAUSE: Duration = Duration::from_millis(500);
/// Whose messages wake this service.
const WAKE_ON: [&str; 3] = ["signin.account.>", "signin.code.>", "signin.session.>"];

/// A dependency that will not come by waiting.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string of NATS is none.
    #[error("NATS_URL cannot be used")]
    Nats(#[source] async_nats::ConnectError),
    /// The log is not to be used, or its connection string is none.
    #[error("the log cannot be used")]
    Log(#[source] ConnectError),
}

/// The log, as soon as PostgreSQL answers.
///
/// # Errors
/// [`Error`] for what waiting does not mend.
pub(crate) async fn connect(config: &Config) -> Result<Log, Error> {
    let settings = LogSettings {
        database_url: config.database_url.expose().clone(),
        nats: connect_nats(config).await?,
        service: concat!("sessions/", env!("CARGO_PKG_VERSION")).to_owned(),
        wake_on: WAKE_ON.map(str::to_owned).to_vec(),
        test_clock: config.test_clock,
    };
    loop {
        match Log::connect(settings.clone()).await {
            Ok(log) => return Ok(log),
            Err(ConnectError::Read(error)) => {
                tracing::warn!(error = sekisho_service::chain(&error), "waiting for PostgreSQL");
                tokio::time::sleep(PAUSE).await;
            }
            Err(error @ (ConnectError::Url | ConnectError::TestClock)) => return Err(Error::Log(error)),
        }
    }
}

/// A client that connects in the background, now and whenever NATS comes back.
async fn connect_nats(config: &Config) -> Result<Option<Client>, Error> {
    let Some(url) = &config.nats_url else {
        return Ok(None);
    };
    let options = ConnectOptions::new().name("sessions").retry_on_initial_connect();
    let client = options.connect(url.expose().as_str()).await;
    client.map(Some).map_err(Error::Nats)
}
