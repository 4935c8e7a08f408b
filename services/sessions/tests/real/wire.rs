//! The service as the gateway and administrators see it: mutual TLS, callers, reasons.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use sekisho_dev::{Database, Postgres, Schema};
use sekisho_eventlog::{DatabaseUrl, LogAccess, StreamId};
use sekisho_proto::events::SessionEvent;
use sekisho_proto::sessions::v1::administration_service_client::AdministrationServiceClient;
use sekisho_proto::sessions::v1::sessions_service_client::SessionsServiceClient;
use sekisho_proto::sessions::v1::verify_state_response::Step;
use sekisho_proto::sessions::v1::{
    CheckRequest, CutSessionsRequest, EndRequest, EndSessionRequest, ListSessionsRequest, StartRequest,
    VerifyStateRequest, VerifyStateResponse, list_sessions_response, session_ended,
};
use sekisho_service::client::{self, Channel};
use sekisho_service::process::{self, Process};
use sekisho_service::refusal::reason;
use sekisho_service::roles;
use sekisho_service::server::ServerSettings;
use sekisho_service::settings::Value as _;
use sekisho_service::tls::TlsSettings;
use sekisho_sessions::Config;
use tempfile::TempDir;
use tokio::task::{JoinHandle, JoinSet};
use tonic::{Code, Status};

use tokio::net::{TcpListener, TcpStream};

use crate::support::{Flow, LIMITS, World, eventually, keys};

/// The service, in this process, on free ports.
struct Service {
    authority: Arc<Authority>,
    main: SocketAddr,
    administration: SocketAddr,
    process: Process,
    serving: Option<JoinHandle<Result<(), process::Error>>>,
}

/// A certificate authority in a folder of its own.
struct Authority {
    inner: sekisho_seed::Authority,
    _folder: TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.request_shutdown();
    }
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            inner: sekisho_seed::Authority::open(folder.path()).unwrap(),
            _folder: folder,
        }
    }

    /// The identity of a role; its name is `the-<role>`.
    fn certify(&self, role: &str) -> TlsSettings {
        self.inner.certify(role, &format!("the-{role}")).unwrap();
        let file = |kind| self.inner.file(&format!("{role}.{kind}"));
        TlsSettings::from_files(&file("pem"), &file("key"), &self.inner.file("ca.pem")).unwrap()
    }
}

impl Service {
    fn start(database: &Database) -> Self {
        Self::start_at(&database.url("sessions"), &Arc::new(Authority::new()))
    }

    fn start_at(database_url: &str, authority: &Arc<Authority>) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = Config {
            server: ServerSettings {
                listen: any,
                tls: authority.certify(roles::SESSIONS),
            },
            admin_listen: any,
            log: LogAccess {
                database_url: DatabaseUrl::parse(database_url).unwrap(),
                nats_url: None,
                test_clock: false,
            },
            limits: LIMITS,
            keys: keys(7),
            snapshot_every: NonZeroU64::new(4).unwrap(),
        };
        let servers = sekisho_sessions::build(&config).unwrap();
        let mut service = Self {
            authority: Arc::clone(authority),
            main: servers.main.local_address(),
            administration: servers.administration.local_address(),
            process: Process::new(Duration::from_secs(5)),
            serving: None,
        };
        service.serving = Some(tokio::spawn(servers.serve(config, service.process.clone())));
        service
    }

    /// Drains, and waits for the end.
    async fn end(mut self) {
        self.process.request_shutdown();
        self.serving.take().unwrap().await.unwrap().unwrap();
    }

    /// A process without a latch is ready; only an answer shows that the service has taken its own and released it.
    async fn ready(&self) {
        let mut gateway = self.sessions(roles::GATEWAY);
        eventually("the service to be ready", async || {
            let status = gateway.check(CheckRequest::default()).await.unwrap_err();
            (reason(&status).as_deref() == Some("SESSION_UNKNOWN")).then_some(())
        })
        .await;
    }

    fn channel(&self, role: &str, address: SocketAddr) -> Channel {
        let url = format!("https://{address}").parse().unwrap();
        client::connect(roles::SESSIONS, &[url], &self.authority.certify(role)).unwrap()
    }

    fn sessions(&self, role: &str) -> SessionsServiceClient<Channel> {
        SessionsServiceClient::new(self.channel(role, self.main))
    }

    fn administration(&self, role: &str) -> AdministrationServiceClient<Channel> {
        AdministrationServiceClient::new(self.channel(role, self.administration))
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, expected: &str) {
    let status = answer.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_deref()),
        (code, Some(expected))
    );
}

fn start_request(flow: &Flow) -> StartRequest {
    StartRequest {
        flow_id: flow.id.to_vec(),
        flow_secret: flow.secret.expose().clone(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_and_ends_over_the_wire_and_every_refusal_has_its_reason() {
    let world = World::new().await;
    let service = Service::start(&world.database);
    service.ready().await;
    let mut gateway = service.sessions(roles::GATEWAY);
    let flow = world.verified(world.account()).await;
    let started = gateway.start(start_request(&flow)).await.unwrap().into_inner();
    let again = gateway.start(start_request(&flow)).await.unwrap().into_inner();
    assert_eq!(started, again);
    let check = || CheckRequest {
        token: started.token.clone(),
    };
    let end = || EndRequest {
        token: started.token.clone(),
    };
    let checked = gateway.check(check()).await.unwrap().into_inner();
    assert_eq!(
        (checked.session_id, checked.account_id),
        (started.session_id.clone(), flow.account.to_vec())
    );

    assert!(gateway.end(end()).await.unwrap().into_inner().position > started.position);
    assert_eq!(gateway.end(end()).await.unwrap().into_inner().position, 0);
    refused(
        gateway.check(check()).await,
        Code::Unauthenticated,
        "SESSION_SIGNED_OUT",
    );
    refused(
        gateway.check(CheckRequest::default()).await,
        Code::Unauthenticated,
        "SESSION_UNKNOWN",
    );
    refused(
        gateway.start(start_request(&flow)).await,
        Code::FailedPrecondition,
        "FLOW_USED",
    );
    refused(
        gateway.start(StartRequest::default()).await,
        Code::InvalidArgument,
        "REQUEST_MALFORMED",
    );
    let stolen = StartRequest {
        flow_secret: vec![7; 32],
        ..start_request(&flow)
    };
    refused(
        gateway.start(stolen).await,
        Code::PermissionDenied,
        "FLOW_SECRET_WRONG",
    );
    let incomplete = world.password_accepted(flow.account).await;
    refused(
        gateway.start(start_request(&incomplete)).await,
        Code::FailedPrecondition,
        "EVIDENCE_MISSING",
    );
}

/// A wire to PostgreSQL that can be cut: whoever drops it closes every connection.
pub async fn wire_to(database: &Database) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url = url::Url::parse(&database.url("sessions")).unwrap();
    let server = ("127.0.0.1", url.port().unwrap());
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    let mut wire = JoinSet::new();
    wire.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            connections.spawn(async move {
                let mut far = TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (url.to_string(), wire)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_lost_sight_of_the_log_is_believed_only_where_nobody_knows_better() {
    let world = World::new().await;
    let authority = Arc::new(Authority::new());
    let (url, wire) = wire_to(&world.database).await;
    let blind = Service::start_at(&url, &authority);
    let other = Service::start_at(&world.database.url("sessions"), &authority);
    blind.ready().await;
    other.ready().await;
    let urls = [blind.main, other.main].map(|address| format!("https://{address}").parse().unwrap());
    let both = client::connect(roles::SESSIONS, &urls, &authority.certify(roles::GATEWAY)).unwrap();
    let mut gateway = SessionsServiceClient::new(both);
    let flow = world.verified(world.account()).await;
    let token = gateway
        .start(start_request(&flow))
        .await
        .unwrap()
        .into_inner()
        .token;
    let mut alone = blind.sessions(roles::GATEWAY);
    let check = || CheckRequest { token: token.clone() };
    eventually("the replica to know the session", async || {
        alone.check(check()).await.ok()
    })
    .await;
    drop(wire);
    eventually("the replica to notice", async || {
        let answer = alone.check(check()).await.unwrap().into_inner();
        answer.last_confirmed_at
    })
    .await;
    // Whom it never heard of it cannot tell from a stranger.
    let unknown = || CheckRequest { token: vec![1; 32] };
    let refused = alone.check(unknown()).await.unwrap_err();
    assert_eq!(reason(&refused).as_deref(), Some("SESSION_UNCONFIRMED"));
    for _ in 0..4 {
        let refused = gateway.check(unknown()).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("SESSION_UNKNOWN"));
    }
    // Each of them is asked first twice.
    for _ in 0..4 {
        let answer = gateway.check(check()).await.unwrap().into_inner();
        assert_eq!(answer.last_confirmed_at, None);
    }
    let mut knowing = other.sessions(roles::GATEWAY);
    let end = EndRequest { token: token.clone() };
    knowing.end(end).await.unwrap();
    assert!(alone.check(check()).await.is_ok());
    for _ in 0..4 {
        let refused = gateway.check(check()).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("SESSION_SIGNED_OUT"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_takes_snapshots() {
    let world = World::new().await;
    let service = Service::start(&world.database);
    service.ready().await;
    for _ in 0..2 {
        world.verified(world.account()).await;
    }
    eventually("a snapshot", async || {
        let count = world
            .database
            .sql("select count(*) from sessions.snapshot;")
            .unwrap();
        (count != "0").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_drains_hands_its_activity_over() {
    let world = World::new().await;
    let service = Service::start(&world.database);
    service.ready().await;
    let mut gateway = service.sessions(roles::GATEWAY);
    let flow = world.verified(world.account()).await;
    let token = gateway
        .start(start_request(&flow))
        .await
        .unwrap()
        .into_inner()
        .token;
    gateway.check(CheckRequest { token }).await.unwrap();
    assert_eq!(world.extensions(), 0);
    service.end().await;
    assert_eq!(world.extensions(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_but_the_tables_own_is_refused() {
    let world = World::new().await;
    let service = Service::start(&world.database);
    service.ready().await;
    for role in roles::ALL {
        let answers = [
            service
                .sessions(role)
                .start(StartRequest::default())
                .await
                .map(drop),
            service
                .sessions(role)
                .check(CheckRequest::default())
                .await
                .map(drop),
            service.sessions(role).end(EndRequest::default()).await.map(drop),
        ];
        for answer in answers {
            let stopped = answer.err().and_then(|status| reason(&status));
            let is_stopped = stopped.as_deref() == Some("CALLER_NOT_ALLOWED");
            assert_eq!(is_stopped, *role != roles::GATEWAY, "{role}: {stopped:?}");
        }
        let cut = service
            .administration(role)
            .cut_sessions(CutSessionsRequest::default())
            .await;
        let expected = if *role == roles::ADMINISTRATOR {
            "REQUEST_MALFORMED"
        } else {
            "CALLER_NOT_ALLOWED"
        };
        assert_eq!(reason(&cut.unwrap_err()).as_deref(), Some(expected), "{role}");
    }
    // Neither listener offers what belongs on the other.
    let wrong = service.channel(roles::ADMINISTRATOR, service.main);
    let cut = AdministrationServiceClient::new(wrong)
        .cut_sessions(CutSessionsRequest::default())
        .await;
    refused(cut, Code::PermissionDenied, "CALLER_NOT_ALLOWED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_names_the_administrator_of_the_certificate() {
    let world = World::new().await;
    let service = Service::start(&world.database);
    service.ready().await;
    let flow = world.verified(world.account()).await;
    let request = CutSessionsRequest {
        account_id: flow.account.to_vec(),
    };
    let mut administrator = service.administration(roles::ADMINISTRATOR);
    let cut = administrator.cut_sessions(request).await.unwrap().into_inner();
    let events = world.session_events(flow.account).await;
    assert_eq!(events[0].0.recorded.position.0, cut.position);
    assert_eq!(events[0].0.metadata().actor, "the-administrator");
    let nobody = CutSessionsRequest {
        account_id: world.account().to_vec(),
    };
    refused(
        administrator.cut_sessions(nobody).await,
        Code::NotFound,
        "ACCOUNT_UNKNOWN",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_lists_and_ends_single_sessions() {
    let world = World::new().await;
    let service = Service::start(&world.database);
    service.ready().await;
    // The administrator asks a replica that hears of everything a moment later.
    let other = Service::start(&world.database);
    other.ready().await;
    let mut gateway = service.sessions(roles::GATEWAY);
    let mut administrator = other.administration(roles::ADMINISTRATOR);
    let (account, another) = (world.account(), world.account());
    let mut started = Vec::new();
    for account in [account, account, another] {
        let flow = world.verified(account).await;
        started.push(gateway.start(start_request(&flow)).await.unwrap().into_inner());
    }
    let list = async |account: StreamId| {
        let account_id = account.to_vec();
        let mut administrator = other.administration(roles::ADMINISTRATOR);
        let listed = administrator
            .list_sessions(ListSessionsRequest { account_id })
            .await;
        listed.map(|listed| listed.into_inner().sessions)
    };
    let ids = |sessions: Vec<list_sessions_response::Session>| -> Vec<Vec<u8>> {
        sessions.into_iter().map(|session| session.session_id).collect()
    };
    let [first, second, foreign] = [0, 1, 2].map(|number: usize| started[number].clone());
    let listed = list(account).await.unwrap();
    let checked = gateway
        .check(CheckRequest {
            token: first.token.clone(),
        })
        .await;
    let checked = checked.unwrap().into_inner();
    assert_eq!(listed[0].started_at, checked.started_at);
    assert_eq!(listed[0].absolute_deadline, checked.absolute_deadline);
    assert_eq!(ids(listed), [first.session_id.clone(), second.session_id.clone()]);

    let mut end = async |account: StreamId, session: &[u8]| {
        let request = EndSessionRequest {
            account_id: account.to_vec(),
            session_id: session.to_vec(),
        };
        administrator
            .end_session(request)
            .await
            .map(|ended| ended.into_inner().position)
    };
    assert_eq!(
        end(account, &foreign.session_id).await.unwrap(),
        0,
        "of another account"
    );
    let position = end(account, &first.session_id).await.unwrap();
    assert!(position > foreign.position);
    assert_eq!(end(account, &first.session_id).await.unwrap(), 0, "over already");
    refused(
        end(account, b"short").await,
        Code::InvalidArgument,
        "REQUEST_MALFORMED",
    );
    assert_eq!(
        ids(list(account).await.unwrap()),
        std::slice::from_ref(&second.session_id)
    );
    refused(list(world.account()).await, Code::NotFound, "ACCOUNT_UNKNOWN");

    eventually("the other replica to hear of it", async || {
        let token = first.token.clone();
        let over = gateway.check(CheckRequest { token }).await.err()?;
        assert_eq!(reason(&over).as_deref(), Some("SESSION_REVOKED"));
        Some(())
    })
    .await;
    for alive in [second, foreign] {
        gateway.check(CheckRequest { token: alive.token }).await.unwrap();
    }
    let (entry, event) = world.session_events(account).await.pop().unwrap();
    assert_eq!(entry.recorded.position.0, position);
    assert_eq!(entry.metadata().actor, "the-administrator");
    assert!(entry.recorded.flow.is_some());
    let SessionEvent::SessionEnded(ended) = event else {
        panic!("{event:?}")
    };
    assert_eq!(ended.why(), session_ended::Why::Revoked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_has_the_state_verified() {
    let world = World::new().await;
    let service = Service::start(&world.database);
    service.ready().await;
    let flow = world.verified(world.account()).await;
    service
        .sessions(roles::GATEWAY)
        .start(start_request(&flow))
        .await
        .unwrap();
    let asked = service
        .administration(roles::ADMINISTRATOR)
        .verify_state(VerifyStateRequest {})
        .await;
    let steps: Vec<_> = asked.unwrap().into_inner().collect().await;
    let Some(Ok(VerifyStateResponse {
        step: Some(Step::Result(result)),
    })) = steps.last()
    else {
        panic!("{steps:?}");
    };
    assert_eq!(result.digest, result.rebuilt_digest);
    assert_eq!((result.digest.len(), result.sessions), (32, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_starts_before_postgresql_waits_for_it() {
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let database = postgres.database().unwrap();
    postgres.stop().unwrap();
    let service = Service::start(&database);
    let mut gateway = service.sessions(roles::GATEWAY);
    let answer = eventually("the service to answer", async || {
        let status = gateway.check(CheckRequest::default()).await.unwrap_err();
        reason(&status).map(|reason| (status.code(), reason))
    });
    assert_eq!(answer.await, (Code::Unavailable, "NOT_READY".to_owned()));
    assert!(!service.process.readiness().is_ready());
    // Longer than one attempt lasts.
    let begun = tokio::time::Instant::now();
    eventually("an attempt to fail", async || {
        assert!(!service.process.has_failed(), "PostgreSQL is waited for");
        (begun.elapsed() > Duration::from_secs(4)).then_some(())
    })
    .await;

    postgres.restart().unwrap();
    service.ready().await;
    refused(
        gateway.check(CheckRequest::default()).await,
        Code::Unauthenticated,
        "SESSION_UNKNOWN",
    );
    assert!(!service.process.has_failed());
}
