//! A whole process in one page, as small as a service can be; the tests of this crate run it.
//!
//! It offers `CutSessions`, answers with the number of bytes it was given, and asks another sample first if
//! `SEKISHO_SAMPLE_UPSTREAM_URL` names one.

use sekisho_proto::refusal::{Class, Refuse};
use sekisho_proto::sessions::v1::administration_service_client::AdministrationServiceClient;
use sekisho_proto::sessions::v1::administration_service_server::{
    AdministrationService, AdministrationServiceServer,
};
use sekisho_proto::sessions::v1::{
    CutSessionsRequest, CutSessionsResponse, EndSessionRequest, EndSessionResponse, ListSessionsRequest,
    ListSessionsResponse, VerifyStateRequest, VerifyStateResponse,
};
use sekisho_service::client::{self, Channel};
use sekisho_service::process::{self, Process};
use sekisho_service::refusal;
use sekisho_service::roles;
use sekisho_service::server::{Method, Server, ServerSettings};
use sekisho_service::settings::{Reader, Secret, Settings};
use std::process::ExitCode;
use tonic::codegen::tokio_stream::Empty;
use tonic::{Request, Response, Status};

const CALLERS: &[Method] = &[Method {
    path: "/signin.sessions.v1.AdministrationService/CutSessions",
    roles: &[roles::ADMINISTRATOR, roles::SESSIONS],
}];

struct Config {
    server: ServerSettings,
    upstream: Option<Vec<http::Uri>>,
    _database_url: Secret<String>,
    fault: Fault,
}

/// What goes wrong on purpose.
#[derive(Clone, Copy)]
enum Fault {
    None,
    WorkerThatNeverEnds,
    TaskThatEnds,
    TaskThatPanics,
    CallThatRefuses,
    CallThatFails,
    CallThatPanics,
}

/// A mistake of ours, as a use case tells it.
#[derive(Debug, thiserror::Error)]
#[error("canary")]
struct Mistake;

impl Refuse for Mistake {
    fn class(&self) -> Class {
        Class::Fault
    }

    fn reason(&self) -> &'static str {
        "INTERNAL"
    }
}

struct Api {
    upstream: Option<Channel>,
    fault: Fault,
}

impl Settings for Config {
    fn read(reader: &mut Reader) -> Option<Self> {
        let server = ServerSettings::read(reader);
        let upstream = reader.optional("UPSTREAM_URL", "another sample, asked first");
        let database_url = reader.or("DATABASE_URL", "none", "a secret that nobody reads");
        let faults = [
            ("none", Fault::None),
            ("worker-never-ends", Fault::WorkerThatNeverEnds),
            ("task-ends", Fault::TaskThatEnds),
            ("task-panics", Fault::TaskThatPanics),
            ("call-refuses", Fault::CallThatRefuses),
            ("call-fails", Fault::CallThatFails),
            ("call-panics", Fault::CallThatPanics),
        ];
        let fault = reader.choice("FAULT", &faults, "none", "what goes wrong on purpose");
        Some(Self {
            server: server?,
            upstream: upstream?,
            _database_url: database_url?,
            fault: fault?,
        })
    }
}

#[tonic::async_trait]
impl AdministrationService for Api {
    async fn cut_sessions(
        &self,
        request: Request<CutSessionsRequest>,
    ) -> Result<Response<CutSessionsResponse>, Status> {
        let asked = request.into_inner();
        tracing::info!("asked");
        match self.fault {
            Fault::CallThatRefuses => return Err(refusal::status(&Mistake)),
            Fault::CallThatFails => return Err(Status::internal("a library's own words")),
            Fault::CallThatPanics => assert!(std::hint::black_box(false), "canary"),
            Fault::None | Fault::WorkerThatNeverEnds | Fault::TaskThatEnds | Fault::TaskThatPanics => {}
        }
        if let Some(upstream) = &self.upstream {
            let mut client = AdministrationServiceClient::new(upstream.clone());
            return client.cut_sessions(asked).await;
        }
        let position = asked.account_id.len() as u64;
        Ok(Response::new(CutSessionsResponse { position }))
    }

    async fn list_sessions(
        &self,
        _: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn end_session(
        &self,
        _: Request<EndSessionRequest>,
    ) -> Result<Response<EndSessionResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    type VerifyStateStream = Empty<Result<VerifyStateResponse, Status>>;

    async fn verify_state(
        &self,
        _: Request<VerifyStateRequest>,
    ) -> Result<Response<Self::VerifyStateStream>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

async fn serve(config: Config, process: Process) -> Result<(), process::Error> {
    let upstream = config
        .upstream
        .map(|urls| client::connect(roles::SESSIONS, &urls, &config.server.tls));
    let api = Api {
        upstream: upstream.transpose()?,
        fault: config.fault,
    };
    match config.fault {
        Fault::None | Fault::CallThatRefuses | Fault::CallThatFails | Fault::CallThatPanics => {}
        Fault::WorkerThatNeverEnds => {
            process.spawn_worker("stuck", std::future::pending::<Result<(), process::Error>>());
        }
        Fault::TaskThatPanics => process.spawn("panicking", async {
            assert!(std::hint::black_box(false), "canary");
            Ok::<(), process::Error>(())
        }),
        Fault::TaskThatEnds => process.spawn("short", async { Ok::<(), process::Error>(()) }),
    }
    let server = Server::new(&config.server, CALLERS)?;
    server
        .add_service(AdministrationServiceServer::new(api))
        .serve(&process)
        .await?;
    Ok(())
}

fn main() -> ExitCode {
    process::run::<Config, _>("sample", serve)
}
