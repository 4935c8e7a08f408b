//! The service as a process runs it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use sekisho_credentials::{Config, run};
use sekisho_dev::Postgres;
use sekisho_proto::credentials::v1::administration_service_client::AdministrationServiceClient;
use sekisho_proto::credentials::v1::credentials_service_client::CredentialsServiceClient;
use sekisho_proto::credentials::v1::verify_password_response::{Outcome, Reason};
use sekisho_proto::credentials::v1::{
    LinkFederatedIdentityRequest, RegisterAccountRequest, ResolveLoginRequest, UnlockAccountRequest,
    VerifyPasswordRequest,
};
use sekisho_seed::Authority;
use sekisho_service::client::{self, Channel};
use sekisho_service::process::Process;
use sekisho_service::refusal;
use sekisho_service::settings::{self, Source};
use sekisho_service::tls::TlsSettings;
use tokio::time::{Instant, interval, timeout};
use tonic::{Code, Status};

use crate::support::{ACTOR, ADDRESS, LOGIN, PASSWORD, PATIENCE, eventually, hash_text};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_starts_before_postgresql_and_nats_serves_as_soon_as_it_can() {
    let postgres = tokio::task::spawn_blocking(|| Postgres::start().unwrap())
        .await
        .unwrap();
    postgres.stop().unwrap();
    let folder = certified();
    let [listen, admin, nats] = [free_address(), free_address(), free_address()];
    let process = Process::new(PATIENCE);
    let config = config(folder.path(), listen, admin, nats, &postgres.url("credentials"));
    let running = tokio::spawn(run(config, process.clone()));

    let mut gateway = CredentialsServiceClient::new(channel(folder.path(), "gateway", listen));
    let mut administrator = AdministrationServiceClient::new(channel(folder.path(), "administrator", admin));
    let mut told_to_come_back = async || {
        let status = gateway.verify_password(attempt()).await.unwrap_err();
        (status.code() == Code::Unavailable && reason(&status) == "NOT_READY").then_some(())
    };
    eventually("the first answer", &mut told_to_come_back).await;
    // Longer than one attempt to connect takes.
    let (since, mut pace) = (Instant::now(), interval(Duration::from_millis(50)));
    while since.elapsed() < Duration::from_secs(3) {
        pace.tick().await;
        told_to_come_back().await.unwrap();
        assert!(!running.is_finished(), "it gave up");
    }
    assert!(!process.readiness().is_ready());

    postgres.restart().unwrap();
    timeout(PATIENCE, process.readiness().ready()).await.unwrap();
    administrator.register_account(registration()).await.unwrap();
    let again = administrator.register_account(registration()).await.unwrap_err();
    assert_eq!(
        (again.code(), reason(&again).as_str()),
        (Code::AlreadyExists, "ACCOUNT_EXISTS")
    );
    let unknown = ResolveLoginRequest {
        login_id: "04500009".to_owned(),
    };
    let unknown = administrator.resolve_login(unknown).await.unwrap_err();
    assert_eq!(
        (unknown.code(), reason(&unknown).as_str()),
        (Code::NotFound, "ACCOUNT_UNKNOWN")
    );

    let verified = gateway.verify_password(attempt()).await.unwrap().into_inner();
    assert!(
        matches!(verified.outcome, Some(Outcome::Accepted(_))),
        "{verified:?}"
    );
    let mut wrong = attempt();
    wrong.password.push('!');
    let verified = gateway.verify_password(wrong).await.unwrap().into_inner();
    let Some(Outcome::Rejected(rejected)) = verified.outcome else {
        panic!("{verified:?}")
    };
    assert_eq!(rejected.reason(), Reason::WrongPassword);

    process.request_shutdown();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_devices_and_unlocking_go_over_the_wire() {
    let postgres = tokio::task::spawn_blocking(|| Postgres::shared().unwrap())
        .await
        .unwrap();
    let database = postgres.database().unwrap();
    let folder = certified();
    let [listen, admin, nats] = [free_address(), free_address(), free_address()];
    let process = Process::new(PATIENCE);
    let config = config(folder.path(), listen, admin, nats, &database.url("credentials"));
    let running = tokio::spawn(run(config, process.clone()));
    let mut gateway = CredentialsServiceClient::new(channel(folder.path(), "gateway", listen));
    let mut administrator = AdministrationServiceClient::new(channel(folder.path(), "administrator", admin));
    eventually("the registration", async || {
        administrator.register_account(registration()).await.ok()
    })
    .await;

    // Neither a link nor the end of one.
    let silent = LinkFederatedIdentityRequest {
        login_id: registration().login_id,
        link: None,
    };
    let refused = administrator.link_federated_identity(silent).await.unwrap_err();
    assert_eq!(reason(&refused), "NCR_SUBJECT_INVALID");

    let in_browser = |device: Vec<u8>, password: &str| VerifyPasswordRequest {
        device,
        password: password.to_owned(),
        ..attempt()
    };
    let odd = gateway.verify_password(in_browser(vec![7; 31], PASSWORD)).await;
    let odd = odd.unwrap_err();
    assert_eq!(
        (odd.code(), reason(&odd).as_str()),
        (Code::InvalidArgument, "REQUEST_MALFORMED")
    );
    let mut outcome = async |device: Vec<u8>, password: &str| {
        let answer = gateway
            .verify_password(in_browser(device, password))
            .await
            .unwrap();
        match answer.into_inner().outcome.unwrap() {
            Outcome::Accepted(_) => None,
            Outcome::Rejected(rejected) => Some(rejected.reason()),
            Outcome::MustChange(_) => panic!("no such rule was set"),
        }
    };
    assert_eq!(outcome(vec![7; 32], PASSWORD).await, None);
    for number in 0..10 {
        let wrong = format!("wrong {number}");
        assert_eq!(outcome(Vec::new(), &wrong).await, Some(Reason::WrongPassword));
    }
    assert_eq!(outcome(Vec::new(), PASSWORD).await, Some(Reason::Locked));
    assert_eq!(outcome(vec![7; 32], PASSWORD).await, None);

    let unlock = UnlockAccountRequest {
        login_id: LOGIN.to_owned(),
    };
    let unlocked = administrator.unlock_account(unlock).await.unwrap();
    assert!(unlocked.into_inner().position > 0);
    assert_eq!(outcome(Vec::new(), PASSWORD).await, None);

    process.request_shutdown();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_the_clock_of_a_test_is_refused() {
    let postgres = tokio::task::spawn_blocking(|| Postgres::shared().unwrap())
        .await
        .unwrap();
    let database = postgres.database().unwrap();
    let offset = "create or replace function log.now() returns timestamptz language sql volatile \
        as $$select clock_timestamp() + interval '1 day'$$;";
    database.sql(offset).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path()).unwrap();
    authority.certify("credentials", "credentials").unwrap();
    let [listen, admin, nats] = [free_address(), free_address(), free_address()];
    let config = config(folder.path(), listen, admin, nats, &database.url("credentials"));
    let outcome = timeout(PATIENCE, Box::pin(run(config, Process::new(PATIENCE))))
        .await
        .unwrap();
    assert!(outcome.unwrap_err().to_string().contains("belongs to a test"));
}

fn attempt() -> VerifyPasswordRequest {
    VerifyPasswordRequest {
        login_id: LOGIN.to_owned(),
        password: PASSWORD.to_owned(),
        secret_digest: vec![1; 32],
        ..Default::default()
    }
}

fn registration() -> RegisterAccountRequest {
    RegisterAccountRequest {
        login_id: LOGIN.to_owned(),
        facility_code: "0450000".to_owned(),
        facility: "架空がんセンター".to_owned(),
        name: "登録 花子".to_owned(),
        address: ADDRESS.to_owned(),
        password_hash: hash_text(PASSWORD, 19_456),
        password_is_initial: false,
    }
}

fn reason(status: &Status) -> String {
    refusal::reason(status).unwrap_or_default()
}

fn config(
    folder: &Path,
    listen: SocketAddr,
    admin: SocketAddr,
    nats: SocketAddr,
    database_url: &str,
) -> Config {
    std::fs::write(folder.join("keys"), format!("1 {}\n", "07".repeat(32))).unwrap();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let variables = [
        ("LISTEN", listen.to_string()),
        ("ADMIN_LISTEN", admin.to_string()),
        ("TLS_CERTIFICATE", path("credentials.pem")),
        ("TLS_KEY", path("credentials.key")),
        ("TLS_CA", path("ca.pem")),
        ("DATABASE_URL", database_url.to_owned()),
        ("NATS_URL", format!("nats://credentials:pw@{nats}")),
        ("MASTER_KEY_FILE", path("keys")),
        ("PEPPER_FILE", path("keys")),
        ("PHANTOM_KEY_FILE", path("keys")),
    ];
    let source: Source = variables
        .into_iter()
        .map(|(name, value)| (format!("X_{name}"), value))
        .collect();
    settings::load("X_", &source).unwrap()
}

/// A folder with certificates for the service and its callers.
fn certified() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path()).unwrap();
    for (role, name) in [
        ("credentials", "credentials"),
        ("gateway", "gateway"),
        ("administrator", ACTOR),
    ] {
        authority.certify(role, name).unwrap();
    }
    folder
}

/// Nobody listens there now.
fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn channel(folder: &Path, role: &str, address: SocketAddr) -> Channel {
    let file = |name: String| folder.join(name);
    let tls = TlsSettings::from_files(
        &file(format!("{role}.pem")),
        &file(format!("{role}.key")),
        &file("ca.pem".to_owned()),
    );
    let url = format!("https://{address}").parse().unwrap();
    client::connect("credentials", &[url], &tls.unwrap()).unwrap()
}
