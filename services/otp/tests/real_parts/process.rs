//! The service as its callers see it: settings, mutual TLS, late dependencies, the way from the call to the mail.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use http::Uri;
use sekisho_dev::{Postgres, Schema};
use sekisho_otp::Config;
use sekisho_proto::credentials::v1::credentials_service_server::CredentialsServiceServer;
use sekisho_proto::otp::v1 as proto;
use sekisho_proto::otp::v1::flow_view::{Mail, Stage};
use sekisho_proto::otp::v1::otp_service_client::OtpServiceClient;
use sekisho_proto::otp::v1::verify_code_response::Outcome;
use sekisho_service::client::{self, Channel};
use sekisho_service::entropy;
use sekisho_service::process::Process;
use sekisho_service::server::{Method, Server, ServerSettings};
use sekisho_service::settings::{Source, load};
use sekisho_service::{refusal, roles};
use tokio::time::Instant;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{Authority, Directory, Flow, Relay, World, code, until, wrong};

const PATIENCE: Duration = Duration::from_secs(20);

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn url(address: SocketAddr) -> Uri {
    format!("https://{address}").parse().unwrap()
}

/// Runs the service from its settings, in this process.
fn start(
    authority: &Authority,
    database_url: &str,
    relay: &Relay,
    directory: SocketAddr,
) -> (SocketAddr, Process) {
    authority.certify(roles::OTP);
    std::fs::write(authority.file("keys"), format!("k1 {}", "ab".repeat(32))).unwrap();
    let file = |name: &str| authority.file(name).to_str().unwrap().to_owned();
    let address = free_address();
    let source: Source = [
        ("LISTEN", address.to_string()),
        ("TLS_CERTIFICATE", file("otp.pem")),
        ("TLS_KEY", file("otp.key")),
        ("TLS_CA", file("ca.pem")),
        ("DATABASE_URL", database_url.to_owned()),
        // A bus that never comes.
        ("NATS_URL", format!("nats://otp:x@{}", free_address())),
        ("KEY_FILE", file("keys")),
        ("CREDENTIALS_URL", url(directory).to_string()),
        ("SMTP_URL", relay.url()),
    ]
    .into_iter()
    .collect();
    let config: Config = load("", &source).unwrap();
    let process = Process::new(PATIENCE);
    tokio::spawn(sekisho_otp::run(config, process.clone()));
    (address, process)
}

fn start_directory(authority: &Authority) -> SocketAddr {
    const CALLERS: &[Method] = &[Method {
        path: "/signin.credentials.v1.CredentialsService/ResolveAddress",
        roles: &[roles::OTP],
    }];
    let settings = ServerSettings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: authority.certify(roles::CREDENTIALS),
    };
    let server = Server::new(&settings, CALLERS).unwrap();
    let address = server.local_address();
    let server = server.add_service(CredentialsServiceServer::new(Directory));
    tokio::spawn(async move { server.serve(&Process::new(PATIENCE)).await });
    address
}

fn channel(authority: &Authority, role: &str, address: SocketAddr) -> Channel {
    client::connect(roles::OTP, &[url(address)], &authority.certify(role)).unwrap()
}

async fn is_serving(channel: &Channel) -> bool {
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.is_ok_and(|answer| answer.into_inner().status == 1)
}

async fn get_flow(channel: &Channel, flow: &Flow) -> Result<proto::FlowView, Status> {
    let caller = flow.caller();
    let request = proto::GetFlowRequest {
        flow_id: caller.flow.to_vec(),
        flow_secret: caller.secret.expose().clone(),
    };
    let answer = OtpServiceClient::new(channel.clone()).get_flow(request).await?;
    Ok(answer.into_inner().flow.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_waits_for_its_log_and_then_brings_the_code() {
    let (postgres, world) = World::alone().await;
    let flow = world.sign_in().await;
    let authority = Authority::new();
    let relay = Relay::start().await;
    let directory = start_directory(&authority);
    postgres.stop().unwrap();
    let (address, process) = start(&authority, &world.url("otp"), &relay, directory);
    let gateway = channel(&authority, roles::GATEWAY, address);

    let waits = async || {
        let refused = get_flow(&gateway, &flow).await.err();
        refused.and_then(|status| refusal::reason(&status)).as_deref() == Some("NOT_READY")
    };
    until("the listener", &waits).await;
    // Longer than one try to reach PostgreSQL takes.
    let start = Instant::now();
    until("a second try", async || {
        assert!(waits().await);
        start.elapsed() > Duration::from_secs(4)
    })
    .await;
    assert!(!is_serving(&gateway).await);
    postgres.restart().unwrap();
    until("health", async || is_serving(&gateway).await).await;

    let mut otp = OtpServiceClient::new(gateway.clone());
    let (flow_id, flow_secret) = (flow.owner.flow.to_vec(), flow.caller().secret.expose().clone());
    let mut request = Request::new(proto::IssueCodeRequest {
        flow_id: flow_id.clone(),
        flow_secret: flow_secret.clone(),
        command_id: entropy::bytes::<16>().to_vec(),
    });
    // It waits for the mail.
    request.set_timeout(Duration::from_secs(5));
    let view = otp.issue_code(request).await.unwrap().into_inner().flow.unwrap();
    assert_eq!((view.stage(), view.mail()), (Stage::Live, Mail::HandedOver));
    assert_eq!(relay.letters().len(), 1);
    assert!(relay.letters()[0].contains("To: gantoroku@example.com\r\n"));
    let typed = |code| proto::VerifyCodeRequest {
        flow_id: flow_id.clone(),
        flow_secret: flow_secret.clone(),
        code,
        command_id: entropy::bytes::<16>().to_vec(),
    };
    assert!(!get_flow(&gateway, &flow).await.unwrap().was_guessed_at);
    let answer = otp.verify_code(typed(wrong(flow.owner, 0))).await;
    let outcome = answer.unwrap().into_inner().outcome;
    assert!(matches!(outcome, Some(Outcome::Rejected(_))));
    assert!(get_flow(&gateway, &flow).await.unwrap().was_guessed_at);
    let answer = otp.verify_code(typed(code(flow.owner, 1))).await;
    let outcome = answer.unwrap().into_inner().outcome;
    assert!(matches!(outcome, Some(Outcome::Accepted(_))));
    assert_eq!(get_flow(&gateway, &flow).await.unwrap().stage(), Stage::Verified);

    let sessions = channel(&authority, roles::SESSIONS, address);
    let refused = get_flow(&sessions, &flow).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    process.request_shutdown();
    until("the end", async || {
        !process.has_failed() && get_flow(&gateway, &flow).await.is_err()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_is_for_the_gateway_alone() {
    let postgres = tokio::task::spawn_blocking(|| Postgres::shared_with(Schema::Files).unwrap())
        .await
        .unwrap();
    let world = World::on(postgres).await;
    let authority = Authority::new();
    let relay = Relay::start().await;
    let (address, process) = start(&authority, &world.url("otp"), &relay, free_address());
    let gateway = channel(&authority, roles::GATEWAY, address);
    until("health", async || is_serving(&gateway).await).await;
    for role in roles::ALL {
        let mut otp = OtpServiceClient::new(channel(&authority, role, address));
        let answers = [
            otp.issue_code(Request::new(proto::IssueCodeRequest::default()))
                .await
                .err(),
            otp.verify_code(Request::new(proto::VerifyCodeRequest::default()))
                .await
                .err(),
            otp.cancel_flow(Request::new(proto::CancelFlowRequest::default()))
                .await
                .err(),
            otp.get_flow(Request::new(proto::GetFlowRequest::default()))
                .await
                .err(),
        ];
        let expected = if *role == roles::GATEWAY {
            Code::InvalidArgument
        } else {
            Code::PermissionDenied
        };
        for answer in answers {
            assert_eq!(answer.unwrap().code(), expected, "{role}");
        }
    }
    process.request_shutdown();
}
