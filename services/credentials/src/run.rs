//! The service, from its settings to its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use sekisho_eventlog::Log;
use sekisho_proto::credentials::v1::administration_service_server::AdministrationServiceServer;
use sekisho_proto::credentials::v1::credentials_service_server::CredentialsServiceServer;
use sekisho_service::process::{Error, Process};
use sekisho_service::readiness::Latch;
use sekisho_service::server::Server;
use sekisho_service::{Late, roles};

use crate::app::{App, Keys};
use crate::callers::{ADMINISTRATION, CALLERS};
use crate::config::Config;
use crate::grpc::{Administration, Credentials};
use crate::hashing::{HashPool, Pepper};
use crate::provider::Provider;
use crate::sealing::Phantoms;

/// Whose messages wake this service: it decides on what it reads from PostgreSQL at that moment, and only what came from
/// which address is folded.
const WAKE_ON: [&str; 1] = ["signin.account.>"];
/// Between two attempts to reach PostgreSQL at the start.
const PAUSE: Duration = Duration::from_millis(500);

/// Serves until the process drains. Both listeners are bound before anything else; until PostgreSQL has answered,
/// health says NOT_SERVING and every call is UNAVAILABLE.
///
/// # Errors
/// When an address is taken, a URL is none, or the log belongs to a test.
pub async fn run(config: Config, process: Process) -> Result<(), Error> {
    let latch = process.latch("the log and the tables can be read");
    let caught_up = process.latch("the attempts of the last minutes are counted");
    let app = Late::default();
    let main = Server::new(&config.server, CALLERS)?
        .add_service(CredentialsServiceServer::new(Credentials::new(app.clone())));
    let administration = Server::new(&config.server.at(config.admin_listen), ADMINISTRATION)?
        .add_service(AdministrationServiceServer::new(Administration::new(app.clone())));
    let arrive = async {
        let shutdown = process.shutdown();
        let Some(connected) = shutdown.run_until_cancelled(connect(&config)).await else {
            return Ok(());
        };
        let (log, connected) = connected?;
        process.spawn("log", async move { Err::<(), _>(log.ended().await) });
        process.spawn("attempts", keep_limits(connected.clone(), caught_up));
        app.arrive(connected);
        latch.release();
        Ok::<(), Error>(())
    };
    let serve = async { Ok::<(), Error>(main.serve(&process).await?) };
    let administer = async { Ok::<(), Error>(administration.serve(&process).await?) };
    tokio::try_join!(serve, administer, arrive)?;
    Ok(())
}

/// Counts what comes from each address, records what is refused, and forgets what is old, for ever.
async fn keep_limits(app: App, caught_up: Latch) -> Result<(), Infallible> {
    let follow = app.follow_attempts(|| caught_up.release());
    tokio::select! {
        never = follow => match never {},
        never = app.record_refusals() => match never {},
        never = app.tidy() => match never {},
    }
}

/// Connects to the log and the tables, and waits for both as long as it takes.
async fn connect(config: &Config) -> Result<(Log, App), Error> {
    let log = config.log.connect(roles::CREDENTIALS, &WAKE_ON).await?;
    let pool = HashPool::new(config.hash_concurrency, config.hash_queue);
    let keys = Keys {
        masters: config.master_keys.clone(),
        phantoms: Phantoms::new(config.phantom_keys.clone()),
        pepper: Pepper::new(config.peppers.clone()),
    };
    let app = App::new(log.clone(), pool, keys, config.rules.clone());
    let app = match config.former.clone() {
        Some(former) => app.with_former(Arc::new(former)),
        None => app,
    };
    let app = match config.provider.clone() {
        Some(provider) => app.with_provider(Provider::new(provider)),
        None => app,
    };
    while let Err(error) = app.store().check().await {
        tracing::warn!(
            error = sekisho_service::chain(&error),
            "the tables are not there yet"
        );
        tokio::time::sleep(PAUSE).await;
    }
    Ok((log, app))
}
