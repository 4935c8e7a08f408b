//! A small service inside the test, and clients of it.

use super::{Authority, PATIENCE, url};
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
use sekisho_service::process::Process;
use sekisho_service::server::{Error, Method, Peer, Server, ServerSettings};
use sekisho_service::{refusal, second_best};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tonic::codegen::tokio_stream::Empty;
use tonic::{Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const CALLERS: &[Method] = &[Method {
    path: "/signin.sessions.v1.AdministrationService/CutSessions",
    roles: &["administrator"],
}];

/// Answers with the number of bytes that it was given.
#[derive(Clone, Default)]
pub struct Api {
    calls: Arc<AtomicUsize>,
    hold: Option<Arc<Notify>>,
    panics: bool,
    is_blind: bool,
    is_unsure: bool,
}

/// What a replica says that cannot answer while another one may.
#[derive(Debug, thiserror::Error)]
#[error("on purpose")]
struct Blind;

impl Refuse for Blind {
    fn class(&self) -> Class {
        Class::Elsewhere
    }

    fn reason(&self) -> &'static str {
        "SESSION_UNCONFIRMED"
    }
}

impl Api {
    /// One that answers only when told to.
    pub fn held() -> (Self, Arc<Notify>) {
        let hold = Arc::new(Notify::new());
        let api = Self {
            hold: Some(Arc::clone(&hold)),
            ..Self::default()
        };
        (api, hold)
    }

    /// One that panics.
    pub fn panicking() -> Self {
        Self {
            panics: true,
            ..Self::default()
        }
    }

    /// One that leaves every call to others.
    pub fn blind() -> Self {
        Self {
            is_blind: true,
            ..Self::default()
        }
    }

    /// One that cannot vouch for its answers.
    pub fn unsure() -> Self {
        Self {
            is_unsure: true,
            ..Self::default()
        }
    }

    /// How many calls have reached it.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[tonic::async_trait]
impl AdministrationService for Api {
    async fn cut_sessions(
        &self,
        request: Request<CutSessionsRequest>,
    ) -> Result<Response<CutSessionsResponse>, Status> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics, "on purpose");
        if self.is_blind {
            return Err(refusal::status(&Blind));
        }
        assert_eq!(Peer::of(&request)?.actor, "administrator");
        if let Some(hold) = &self.hold {
            hold.notified().await;
        }
        let position = request.get_ref().account_id.len() as u64;
        let answer = |position| Response::new(CutSessionsResponse { position });
        Ok(if self.is_unsure {
            second_best::mark(answer(0))
        } else {
            answer(position)
        })
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

/// A server inside the test.
pub struct Running {
    pub address: SocketAddr,
    pub process: Process,
    pub task: JoinHandle<Result<(), Error>>,
}

pub fn start(authority: &Authority, api: Api) -> Running {
    let settings = ServerSettings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: authority.certify("sessions"),
    };
    let server = Server::new(&settings, CALLERS).unwrap();
    let address = server.local_address();
    let process = Process::new(PATIENCE);
    let serving = process.clone();
    let server = server.add_service(AdministrationServiceServer::new(api));
    let task = tokio::spawn(async move { server.serve(&serving).await });
    Running {
        address,
        process,
        task,
    }
}

pub fn channel(authority: &Authority, role: &str, servers: &[&Running]) -> Channel {
    let urls: Vec<_> = servers.iter().map(|server| url(server.address)).collect();
    client::connect("sessions", &urls, &authority.certify(role)).unwrap()
}

pub async fn cut(channel: &Channel, bytes: usize) -> Result<u64, Status> {
    let request = CutSessionsRequest {
        account_id: vec![7; bytes],
    };
    let answer = AdministrationServiceClient::new(channel.clone())
        .cut_sessions(request)
        .await?;
    Ok(answer.into_inner().position)
}

pub async fn health(channel: &Channel) -> Result<ServingStatus, Status> {
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let answer = HealthClient::new(channel.clone())
        .check(request)
        .await?
        .into_inner();
    Ok(match answer.status {
        1 => ServingStatus::Serving,
        2 => ServingStatus::NotServing,
        _ => ServingStatus::Unknown,
    })
}
