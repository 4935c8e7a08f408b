//! A log to show, and a credentials service that knows one login id.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sekisho_dev::{Database, Postgres, Schema};
use sekisho_eventlog::{Carry, Context, Decision, FlowId, Fold, Log, LogSettings, Recorded, StreamId};
use sekisho_proto::Event;
use sekisho_proto::credentials::v1::administration_service_server::{
    AdministrationService, AdministrationServiceServer,
};
use sekisho_proto::credentials::v1::{
    Account, ChangeAddressRequest, ChangeAddressResponse, DisableAccountRequest, DisableAccountResponse,
    EnableAccountRequest, EnableAccountResponse, EraseAccountRequest, EraseAccountResponse,
    ExpirePasswordRequest, ExpirePasswordResponse, ExplainAccountRequest, ExplainAccountResponse,
    ImportAccountsRequest, ImportAccountsResponse, ImportRow, ImportedRow, LinkFederatedIdentityRequest,
    LinkFederatedIdentityResponse, ListAccountsRequest, ListAccountsResponse, RegisterAccountRequest,
    RegisterAccountResponse, ResolveLoginRequest, ResolveLoginResponse, ShowAccountRequest,
    ShowAccountResponse, UnlockAccountRequest, UnlockAccountResponse, import_row, imported_row,
};
use sekisho_seed::Authority;
use sekisho_service::process::Process;
use sekisho_service::refusal::refuse;
use sekisho_service::roles;
use sekisho_service::server::{Method, Peer, Server, ServerSettings};
use sekisho_service::tls::TlsSettings;
use tempfile::TempDir;
use tonic::{Code, Request, Response, Status};

/// A log of a test's own.
pub struct World {
    pub database: Database,
    pub credentials: Log,
    pub otp: Log,
    pub sessions: Log,
}

/// Folds nothing.
struct Nothing<E>(PhantomData<E>);

impl<E> Clone for Nothing<E> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<E> Default for Nothing<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E: Event> Fold for Nothing<E> {
    type Event = E;
    const VERSION: u32 = u32::MAX;

    fn evolve(self, _: &E, _: &Recorded) -> Self {
        self
    }

    fn resume(_: &[u8]) -> Option<Self> {
        Some(Self(PhantomData))
    }
}

impl<E: Event> Carry for Nothing<E> {
    fn carry(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl World {
    pub async fn new() -> Self {
        let database = Postgres::shared_with(Schema::Files).unwrap().database().unwrap();
        Self {
            credentials: connect(&database, "credentials").await,
            otp: connect(&database, "otp").await,
            sessions: connect(&database, "sessions").await,
            database,
        }
    }

    pub async fn append<E: Event>(
        &self,
        log: &Log,
        stream: StreamId,
        flow: Option<FlowId>,
        event: impl Into<E>,
    ) {
        let context = Context::new(stream, flow, "test");
        let event: E = event.into();
        let decide = |_: &_| Ok::<_, ()>(Decision::Record(event.clone()));
        log.decide::<Nothing<E>, ()>(&context, decide).await.unwrap();
    }
}

async fn connect(database: &Database, service: &str) -> Log {
    let settings = LogSettings {
        database_url: database.url(service),
        nats: None,
        service: format!("{service}/test"),
        wake_on: Vec::new(),
        test_clock: false,
    };
    Log::connect(settings).await.unwrap()
}

/// The program, reading as the role that may do nothing else.
pub fn sekisho(world: &World) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    for name in ["SEKISHO_CREDENTIALS_ADMIN_URL", "SEKISHO_CERTIFICATES"] {
        command.env_remove(name);
    }
    command.env("SEKISHO_DATABASE_URL", world.database.url("reader"));
    command
}

#[track_caller]
pub fn printed(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

#[track_caller]
pub fn failed(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    assert!(!status.success(), "{}", String::from_utf8_lossy(&stdout));
    assert!(stdout.is_empty());
    String::from_utf8(stderr).unwrap()
}

/// The administration of accounts, as far as this program calls it.
pub struct Credentials {
    folder: TempDir,
    address: SocketAddr,
    process: Process,
    api: Api,
}

#[derive(Clone)]
struct Api {
    login: &'static str,
    account: StreamId,
    actors: Arc<Mutex<Vec<String>>>,
}

const CALLERS: &[Method] = &[
    Method {
        path: "/signin.credentials.v1.AdministrationService/ResolveLogin",
        roles: &[roles::ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ListAccounts",
        roles: &[roles::ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ImportAccounts",
        roles: &[roles::ADMINISTRATOR],
    },
];

/// Accounts that it lists.
pub const LISTED: usize = 7;
/// Of which it cannot list more in time.
const SLOW: u32 = 5;

impl Credentials {
    pub fn start(login: &'static str, account: StreamId) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path()).unwrap();
        let certify = |role, actor| {
            authority.certify(role, actor).unwrap();
            let file = |kind| authority.file(&format!("{role}.{kind}"));
            TlsSettings::from_files(&file("pem"), &file("key"), &authority.file("ca.pem")).unwrap()
        };
        certify(roles::ADMINISTRATOR, "demo-administrator");
        let settings = ServerSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: certify(roles::CREDENTIALS, "credentials"),
        };
        let api = Api {
            login,
            account,
            actors: Arc::default(),
        };
        let server = Server::new(&settings, CALLERS).unwrap();
        let server = server.add_service(AdministrationServiceServer::new(api.clone()));
        let (address, process) = (server.local_address(), Process::new(Duration::from_secs(5)));
        tokio::spawn({
            let process = process.clone();
            async move { server.serve(&process).await.unwrap() }
        });
        Self {
            folder,
            address,
            process,
            api,
        }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Who has called.
    pub fn actors(&self) -> Vec<String> {
        self.api.actors.lock().unwrap().clone()
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        self.process.request_shutdown();
    }
}

#[tonic::async_trait]
impl AdministrationService for Api {
    async fn resolve_login(
        &self,
        request: Request<ResolveLoginRequest>,
    ) -> Result<Response<ResolveLoginResponse>, Status> {
        self.actors
            .lock()
            .unwrap()
            .push(Peer::of(&request)?.actor.clone());
        if request.into_inner().login_id != self.login {
            return Err(refuse(
                Code::NotFound,
                "ACCOUNT_UNKNOWN",
                "nobody has this login id",
            ));
        }
        Ok(Response::new(ResolveLoginResponse {
            account_id: self.account.to_vec(),
        }))
    }

    async fn register_account(
        &self,
        _: Request<RegisterAccountRequest>,
    ) -> Result<Response<RegisterAccountResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn disable_account(
        &self,
        _: Request<DisableAccountRequest>,
    ) -> Result<Response<DisableAccountResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn enable_account(
        &self,
        _: Request<EnableAccountRequest>,
    ) -> Result<Response<EnableAccountResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
    async fn unlock_account(
        &self,
        _: Request<UnlockAccountRequest>,
    ) -> Result<Response<UnlockAccountResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn show_account(
        &self,
        _: Request<ShowAccountRequest>,
    ) -> Result<Response<ShowAccountResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        let request = request.into_inner();
        if request.limit > SLOW {
            return Err(Status::deadline_exceeded("the service did not answer in time"));
        }
        let logins = (1..=LISTED).map(|number| format!("{number:08}"));
        let page = logins
            .filter(|login| *login > request.after_login_id)
            .take(request.limit as usize);
        let account = |login_id| Account {
            login_id,
            ..Account::default()
        };
        Ok(Response::new(ListAccountsResponse {
            accounts: page.map(account).collect(),
            now: Some(sekisho_proto::to_timestamp(time::OffsetDateTime::UNIX_EPOCH)),
        }))
    }

    async fn explain_account(
        &self,
        _: Request<ExplainAccountRequest>,
    ) -> Result<Response<ExplainAccountResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn change_address(
        &self,
        _: Request<ChangeAddressRequest>,
    ) -> Result<Response<ChangeAddressResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn expire_password(
        &self,
        _: Request<ExpirePasswordRequest>,
    ) -> Result<Response<ExpirePasswordResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn link_federated_identity(
        &self,
        _: Request<LinkFederatedIdentityRequest>,
    ) -> Result<Response<LinkFederatedIdentityResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    /// Nobody has an account when it is asked what would be done, and everybody has one when it is to be done.
    async fn import_accounts(
        &self,
        request: Request<ImportAccountsRequest>,
    ) -> Result<Response<ImportAccountsResponse>, Status> {
        let request = request.into_inner();
        let dry_run = request.dry_run;
        let imported = |row: ImportRow| {
            let is_new = row.expected() == import_row::Expected::New;
            let mut answer = ImportedRow {
                login_id: row.login_id,
                ..ImportedRow::default()
            };
            if dry_run {
                answer.changes = vec![imported_row::Change::Registered.into()];
            } else if is_new {
                "ACCOUNT_EXISTS".clone_into(&mut answer.refusal);
            }
            answer
        };
        Ok(Response::new(ImportAccountsResponse {
            rows: request.rows.into_iter().map(imported).collect(),
        }))
    }

    async fn erase_account(
        &self,
        _: Request<EraseAccountRequest>,
    ) -> Result<Response<EraseAccountResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}
