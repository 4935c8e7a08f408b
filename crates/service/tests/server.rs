//! A server and its callers, over real connections.

mod support;

use sekisho_proto::sessions::v1::administration_service_client::AdministrationServiceClient;
use sekisho_proto::sessions::v1::administration_service_server::{
    AdministrationService, AdministrationServiceServer,
};
use sekisho_proto::sessions::v1::{CutSessionsRequest, CutSessionsResponse};
use sekisho_service::client::{self, Channel};
use sekisho_service::process::Process;
use sekisho_service::refusal;
use sekisho_service::server::{Method, Peer, Server, ServerSettings};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::{Authority, PATIENCE, eventually, url};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tonic::{Code, Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const CALLERS: &[Method] = &[Method {
    path: "/signin.sessions.v1.AdministrationService/CutSessions",
    roles: &["administrator"],
}];

/// Answers with the number of bytes that it was given.
#[derive(Clone, Default)]
struct Api {
    calls: Arc<AtomicUsize>,
    hold: Option<Arc<Notify>>,
    panics: bool,
}

#[tonic::async_trait]
impl AdministrationService for Api {
    async fn cut_sessions(
        &self,
        request: Request<CutSessionsRequest>,
    ) -> Result<Response<CutSessionsResponse>, Status> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics, "on purpose");
        assert_eq!(Peer::of(&request)?.actor, "administrator");
        if let Some(hold) = &self.hold {
            hold.notified().await;
        }
        let position = request.get_ref().account_id.len() as u64;
        Ok(Response::new(CutSessionsResponse { position }))
    }
}

/// A server inside the test.
struct Running {
    address: SocketAddr,
    process: Process,
    task: JoinHandle<Result<(), sekisho_service::server::Error>>,
}

fn start(authority: &Authority, api: Api) -> Running {
    let settings = ServerSettings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: authority.certify("sessions"),
    };
    let server = Server::new(&settings, CALLERS).unwrap();
    let address = server.local_address().unwrap();
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

fn channel(authority: &Authority, role: &str, servers: &[&Running]) -> Channel {
    let urls: Vec<_> = servers.iter().map(|server| url(server.address)).collect();
    client::connect("sessions", &urls, &authority.certify(role)).unwrap()
}

async fn cut(channel: &Channel, bytes: usize) -> Result<u64, Status> {
    let request = CutSessionsRequest {
        account_id: vec![7; bytes],
    };
    let answer = AdministrationServiceClient::new(channel.clone())
        .cut_sessions(request)
        .await?;
    Ok(answer.into_inner().position)
}

async fn health(channel: &Channel) -> Result<ServingStatus, Status> {
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

#[tokio::test]
async fn a_caller_in_the_table_is_answered_and_every_other_role_is_refused() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    assert_eq!(
        cut(&channel(&authority, "administrator", &[&server]), 3)
            .await
            .unwrap(),
        3
    );
    for role in ["gateway", "credentials", "otp", "sessions", "audit"] {
        let refused = cut(&channel(&authority, role, &[&server]), 3).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        assert_eq!(refusal::reason(&refused).as_deref(), Some("CALLER_NOT_ALLOWED"));
    }
    assert_eq!(api.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_refused() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let ca = std::fs::read(authority.file("ca.pem")).unwrap();
    let tls = tonic::transport::ClientTlsConfig::new()
        .ca_certificate(tonic::transport::Certificate::from_pem(ca))
        .domain_name("sessions");
    let anonymous = tonic::transport::Endpoint::from(url(server.address))
        .tls_config(tls)
        .unwrap()
        .connect_lazy();
    let request = CutSessionsRequest::default();
    let refused = AdministrationServiceClient::new(anonymous)
        .cut_sessions(request)
        .await
        .unwrap_err();
    assert_ne!(
        refused.code(),
        Code::PermissionDenied,
        "refused in the handshake, before any table"
    );
    assert_eq!(api.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_caller_of_another_authority_is_refused() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let stranger = Authority::new();
    let theirs = stranger.certify("administrator");
    std::fs::copy(authority.file("ca.pem"), stranger.file("ca.pem")).unwrap();
    drop(theirs);
    // Believes our server, but shows a certificate of its own authority.
    let tls = sekisho_service::tls::TlsSettings::from_files(
        &stranger.file("administrator.pem"),
        &stranger.file("administrator.key"),
        &authority.file("ca.pem"),
    );
    let channel = client::connect("sessions", &[url(server.address)], &tls.unwrap()).unwrap();
    assert_eq!(cut(&channel, 1).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(api.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_of_another_role_is_not_believed() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let tls = authority.certify("administrator");
    let channel = client::connect("credentials", &[url(server.address)], &tls).unwrap();
    assert_eq!(cut(&channel, 1).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(api.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn health_says_not_serving_until_the_latch_is_released_and_again_in_the_drain() {
    let authority = Authority::new();
    let hold = Arc::new(Notify::new());
    let api = Api {
        hold: Some(Arc::clone(&hold)),
        ..Api::default()
    };
    let server = start(&authority, api.clone());
    let latch = server.process.latch("test");
    let gateway = channel(&authority, "gateway", &[&server]);
    let not_serving = async || (health(&gateway).await.ok()? == ServingStatus::NotServing).then_some(());
    eventually("NOT_SERVING", not_serving).await;
    latch.release();
    let serving = async || (health(&gateway).await.ok()? == ServingStatus::Serving).then_some(());
    eventually("SERVING", serving).await;
}

#[tokio::test]
async fn a_drain_finishes_the_running_request_and_takes_no_new_connection() {
    let authority = Authority::new();
    let hold = Arc::new(Notify::new());
    let api = Api {
        hold: Some(Arc::clone(&hold)),
        ..Api::default()
    };
    let server = start(&authority, api.clone());
    let administrator = channel(&authority, "administrator", &[&server]);
    let running = tokio::spawn(async move { cut(&administrator, 5).await });
    eventually("the call to run", async || {
        (api.calls.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;
    server.process.request_shutdown();
    let refused = async || tokio::net::TcpStream::connect(server.address).await.err();
    eventually("the port to close", refused).await;
    assert!(!server.task.is_finished());
    hold.notify_one();
    assert_eq!(running.await.unwrap().unwrap(), 5);
    tokio::time::timeout(PATIENCE, server.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let authority = Authority::new();
    let server = start(&authority, Api::default());
    let administrator = channel(&authority, "administrator", &[&server]);
    assert_eq!(cut(&administrator, 60_000).await.unwrap(), 60_000);
    let refused = cut(&administrator, 70_000).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refusal::reason(&refused).as_deref(), Some("REQUEST_TOO_LARGE"));
}

#[tokio::test]
async fn a_handler_that_panics_answers_internal_and_the_connection_lives() {
    let authority = Authority::new();
    let api = Api {
        panics: true,
        ..Api::default()
    };
    let server = start(&authority, api);
    let administrator = channel(&authority, "administrator", &[&server]);
    assert_eq!(cut(&administrator, 1).await.unwrap_err().code(), Code::Internal);
    assert_eq!(health(&administrator).await.unwrap(), ServingStatus::Serving);
}

#[tokio::test]
async fn a_caller_waits_no_longer_than_its_deadline() {
    let authority = Authority::new();
    let api = Api {
        hold: Some(Arc::new(Notify::new())),
        ..Api::default()
    };
    let server = start(&authority, api);
    let patient = channel(&authority, "administrator", &[&server]);
    let hasty = patient.with_deadline(Duration::from_millis(50));
    assert_eq!(cut(&hasty, 1).await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn requests_are_spread_over_all_replicas() {
    let authority = Authority::new();
    let (one, two) = (Api::default(), Api::default());
    let servers = [start(&authority, one.clone()), start(&authority, two.clone())];
    let administrator = channel(&authority, "administrator", &[&servers[0], &servers[1]]);
    for _ in 0..10 {
        cut(&administrator, 1).await.unwrap();
    }
    let calls = [&one, &two].map(|api| api.calls.load(Ordering::SeqCst));
    assert_eq!(calls, [5, 5]);
}

#[tokio::test]
async fn a_dead_replica_costs_no_request() {
    let authority = Authority::new();
    let api = Api::default();
    let servers = [start(&authority, Api::default()), start(&authority, api.clone())];
    let administrator = channel(&authority, "administrator", &[&servers[0], &servers[1]]);
    cut(&administrator, 1).await.unwrap();
    cut(&administrator, 1).await.unwrap();
    let [first, second] = servers;
    first.process.request_shutdown();
    tokio::time::timeout(PATIENCE, first.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    for _ in 0..20 {
        cut(&administrator, 1).await.unwrap();
    }
    assert_eq!(api.calls.load(Ordering::SeqCst), 21);
    drop(second);
}

#[tokio::test]
async fn what_a_server_may_have_seen_is_not_sent_again() {
    let authority = Authority::new();
    let (one, two) = (Api::default(), Api::default());
    let hold = Some(Arc::new(Notify::new()));
    let servers = [
        start(
            &authority,
            Api {
                hold: hold.clone(),
                ..one.clone()
            },
        ),
        start(&authority, Api { hold, ..two.clone() }),
    ];
    let administrator = channel(&authority, "administrator", &[&servers[0], &servers[1]]);
    let running = tokio::spawn(async move { cut(&administrator, 1).await });
    let total = || one.calls.load(Ordering::SeqCst) + two.calls.load(Ordering::SeqCst);
    eventually("the call to run", async || (total() == 1).then_some(())).await;
    servers[0].task.abort();
    assert!(running.await.unwrap().is_err());
    assert_eq!(total(), 1);
}
