//! The service, from its settings to its end.

use sekisho_proto::sessions::v1::administration_service_server::AdministrationServiceServer;
use sekisho_proto::sessions::v1::sessions_service_server::SessionsServiceServer;
use sekisho_service::process::{Error, Process};
use sekisho_service::readiness::Latch;
use sekisho_service::roles;
use sekisho_service::server::Server;

use crate::app::Sessions;
use crate::config::Config;
use crate::grpc::{ADMINISTRATORS, Api, CALLERS};

/// Whose messages wake this service.
const WAKE_ON: [&str; 3] = ["signin.account.>", "signin.code.>", "signin.session.>"];

/// Both listeners, bound.
#[derive(Debug)]
pub struct Servers {
    /// For the gateway.
    pub main: Server,
    /// For administrators.
    pub administration: Server,
    api: Api,
}

/// Binds both listeners; nothing is served yet.
///
/// # Errors
/// If an address cannot be bound.
pub fn build(config: &Config) -> Result<Servers, Error> {
    let api = Api::default();
    let main = Server::new(&config.server, CALLERS)?;
    let administration = Server::new(&config.server.at(config.admin_listen), ADMINISTRATORS)?;
    Ok(Servers {
        main: main.add_service(SessionsServiceServer::new(api.clone())),
        administration: administration.add_service(AdministrationServiceServer::new(api.clone())),
        api,
    })
}

/// Serves until the process drains.
///
/// # Errors
/// If an address cannot be bound or a listener fails.
pub async fn run(config: Config, process: Process) -> Result<(), Error> {
    build(&config)?.serve(config, process).await
}

impl Servers {
    /// Serves until the process drains. Ready once the log is folded up to its head.
    ///
    /// # Errors
    /// If a listener fails.
    pub async fn serve(self, config: Config, process: Process) -> Result<(), Error> {
        let latch = process.latch("the log is folded up to its head");
        process.spawn("sessions", keep_sessions(config, self.api.clone(), latch));
        let served = tokio::try_join!(self.main.serve(&process), self.administration.serve(&process));
        // Also after a listener has failed.
        if let Ok(sessions) = self.api.0.get() {
            sessions.hand_over().await;
        }
        served?;
        Ok(())
    }
}

/// Waits for the log, then folds, records activity and sweeps for ever.
async fn keep_sessions(config: Config, api: Api, latch: Latch) -> Result<(), Error> {
    let log = config.log.connect(roles::SESSIONS, &WAKE_ON).await?;
    let sessions = Sessions::new(log.clone(), config.limits, config.keys);
    api.0.arrive(sessions.clone());
    let (folded, at_head) = tokio::sync::oneshot::channel();
    let follow = sessions.follow(|| {
        latch.release();
        // Whoever waits for it is below.
        let _ = folded.send(());
    });
    let keep = async {
        // An error means that the follower has ended, and with it all this.
        let _ = at_head.await;
        tokio::select! {
            never = sessions.keep_activity() => never,
            never = sessions.probe_log() => never,
            never = sessions.sweep() => never,
            never = sessions.keep_snapshots(config.snapshot_every.get()) => never,
        }
    };
    let hear = sessions.hear();
    tokio::select! {
        never = follow => match never {},
        never = keep => match never {},
        never = hear => match never {},
        ended = log.ended() => Err(ended.into()),
    }
}
