//! The service, from its settings to its end.

use std::sync::Arc;

use sekisho_letters::Letters;
use sekisho_proto::otp::v1::otp_service_server::OtpServiceServer;
use sekisho_service::process::{Error, Process};
use sekisho_service::readiness::Latch;
use sekisho_service::server::Server;
use sekisho_service::{client, roles};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Fates};
use crate::code::Keys;
use crate::config::Config;
use crate::grpc::{Api, CALLERS};
use crate::worker::{Courier, Credentials, MailWorker, Relay};

/// The messages that wake this process: new codes, tries and cancellations of other replicas.
const WAKE_ON: &str = "signin.code.>";

/// Serves until the process drains. PostgreSQL, NATS, credentials and the relay may come later: until the log is there,
/// calls are answered UNAVAILABLE and health says NOT_SERVING.
///
/// # Errors
/// A listener, a certificate or a setting that cannot be used.
pub async fn run(config: Config, process: Process) -> Result<(), Error> {
    let api = Api::default();
    let server = Server::new(&config.server, CALLERS)?.add_service(OtpServiceServer::new(api.clone()));
    let caught_up = process.latch("the mails that the log owes are known");
    let shutdown = process.shutdown();
    process.spawn_worker("mail", work(config, api, shutdown, caught_up));
    server.serve(&process).await?;
    Ok(())
}

/// Connects to everything, lets the API answer, then hands mails over until the shutdown.
async fn work(config: Config, api: Api, shutdown: CancellationToken, caught_up: Latch) -> Result<(), Error> {
    let channel = client::connect(roles::CREDENTIALS, &config.credentials, &config.server.tls)?;
    let relay = Relay::new(config.relay, config.relay_authority.as_ref())?;
    let Some(log) = shutdown
        .run_until_cancelled(config.log.connect(roles::OTP, &[WAKE_ON]))
        .await
    else {
        return Ok(());
    };
    let log = log?;
    let keys = Keys::new(config.keys);
    let fates = Fates::new();
    api.0.arrive(App::new(log.clone(), keys.clone(), fates.clone()));
    let letters = Letters::new(config.mail_from, config.mail_subject, config.mail_charset);
    let addresses = Arc::new(Credentials::new(channel));
    let courier = Courier::new(log.clone(), keys, addresses, letters, relay);
    let worker = MailWorker::new(log.clone(), courier, fates);
    tokio::select! {
        done = worker.run(shutdown, caught_up) => Ok(done?),
        ended = log.ended() => Err(ended.into()),
    }
}
