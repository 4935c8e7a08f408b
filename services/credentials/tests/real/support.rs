//! What these tests share: an app on a database of its own, and what otp and sessions would write.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version as Argon2Version};
use sekisho_credentials::app::{App, Attempt, Keys, Outcome, Registration, ResetRequest};
use sekisho_credentials::domain::{Account, LoginId, Profile, Rules, TypedLogin};
use sekisho_credentials::hashing::{FirstPassword, HashPool, Pepper, Phc, SealedHash};
use sekisho_credentials::sealing::{Phantoms, Seen};
use sekisho_credentials::store::{Found, StoredPassword};
use sekisho_dev::{Database, Postgres};
use sekisho_eventlog::{
    Draft, Entry, EventId, FlowId, Log, LogSettings, Outcome as Appended, Position, StreamId, Version, Via,
};
use sekisho_evidence::secret_digest;
use sekisho_proto::credentials::v1::{Client, EmailChanged};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_proto::otp::v1::{CodeAccepted, CodeIssued, Purpose};
use sekisho_proto::{Event, Kind, to_timestamp};
use sekisho_service::settings::{KeyRing, Secret};

/// The longest that any state is waited for.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const LOGIN: &str = "04500001";
pub const PASSWORD: &str = "gantoroku-demo-2026";
pub const ADDRESS: &str = "gantoroku@example.com";
pub const SECRET: &[u8; 32] = b"a flow's secret of thirty-two by";
pub const ACTOR: &str = "demo-administrator";

/// An app, and the log as the other services write it.
pub struct Bench {
    pub app: App,
    pub log: Log,
    pub otp: Log,
    pub sessions: Log,
    pub masters: KeyRing,
    pub database: Database,
    /// Login ids of resets.
    reset: Mutex<HashSet<String>>,
}

impl Bench {
    pub async fn new() -> Self {
        Self::with_pool(pool_of(2, 64)).await
    }

    pub async fn with_pool(pool: HashPool) -> Self {
        Self::with(pool, Rules::default()).await
    }

    /// An installation with rules of its own.
    pub async fn with_rules(rules: Rules) -> Self {
        Self::with(pool_of(2, 64), rules).await
    }

    async fn with(pool: HashPool, rules: Rules) -> Self {
        let database = tokio::task::spawn_blocking(|| Postgres::shared().unwrap().database().unwrap())
            .await
            .unwrap();
        let log = connect(&database, "credentials").await;
        let masters = ring("2026-03", 1);
        let keys = Keys {
            masters: masters.clone(),
            phantoms: Phantoms::new(ring("1", 2)),
            pepper: pepper(),
        };
        Self {
            app: App::new(log.clone(), pool, keys, rules),
            otp: connect(&database, "otp").await,
            sessions: connect(&database, "sessions").await,
            log,
            masters,
            database,
            reset: Mutex::default(),
        }
    }

    /// Another replica of the service, with a log and a pool of its own.
    pub async fn replica(&self) -> App {
        self.replica_with(Rules::default()).await
    }

    /// Another replica of an installation with rules of its own.
    pub async fn replica_with(&self, rules: Rules) -> App {
        let log = connect(&self.database, "credentials").await;
        App::new(log, pool_of(2, 16), self.keys(), rules)
    }

    /// The service after a restart, with other key files.
    pub async fn with_keys(&self, masters: KeyRing, pepper: Pepper) -> App {
        let keys = Keys {
            masters,
            phantoms: self.app.phantoms().clone(),
            pepper,
        };
        let log = connect(&self.database, "credentials").await;
        App::new(log, pool_of(2, 16), keys, Rules::default())
    }

    fn keys(&self) -> Keys {
        Keys {
            masters: self.masters.clone(),
            phantoms: self.app.phantoms().clone(),
            pepper: pepper(),
        }
    }

    /// Registers the demo account.
    pub async fn register(&self) -> StreamId {
        self.register_as(LOGIN, ADDRESS, &hash_of(PASSWORD, 19_456)).await
    }

    pub async fn register_as(&self, login: &str, address: &str, phc: &Phc) -> StreamId {
        let (account, _) = self
            .app
            .register(registration(login, address, phc), ACTOR)
            .await
            .unwrap();
        account
    }

    pub async fn sign_in(&self, login: &str, password: &str) -> Outcome {
        self.app.verify_password(attempt(login, password)).await.unwrap()
    }

    /// In a browser that keeps this device cookie.
    pub async fn sign_in_with(&self, device: u8, login: &str, password: &str) -> Outcome {
        let attempt = Attempt {
            device: Some([device; 32]),
            ..attempt(login, password)
        };
        self.app.verify_password(attempt).await.unwrap()
    }

    /// The wrong passwords `wrong 1`, `wrong 2` … in a browser that nobody knows.
    pub async fn guess(&self, login: &str, numbers: std::ops::RangeInclusive<u32>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for number in numbers {
            outcomes.push(self.sign_in(login, &format!("wrong {number}")).await);
        }
        outcomes
    }

    /// A flow that the demo account's password minted.
    pub async fn accepted(&self) -> FlowId {
        match self.sign_in(LOGIN, PASSWORD).await {
            Outcome::Accepted(flow) => flow,
            other => panic!("{other:?}"),
        }
    }

    /// A flow for a new password, under [`SECRET`]. A second one of the same login id is no double click of the first: somebody
    /// else has asked meanwhile.
    pub async fn reset(&self, login: &str) -> FlowId {
        let request = |secret_digest| ResetRequest {
            login_id: login.to_owned(),
            secret_digest,
            device: None,
            seen: Seen::default(),
        };
        if !self.reset.lock().unwrap().insert(login.to_owned()) {
            let of_somebody_else = request(sekisho_service::entropy::bytes());
            self.app.request_reset(of_somebody_else).await.unwrap();
        }
        let of_ours = request(secret_digest(SECRET));
        self.app.request_reset(of_ours).await.unwrap()
    }

    /// What otp writes when a code is issued and then accepted.
    pub async fn verify_code(&self, account: StreamId, flow: FlowId, purpose: Purpose) {
        self.issue_code(account, flow, purpose, 1).await;
        let accepted = CodeAccepted {
            purpose: purpose.into(),
            issue: 1,
            ..Default::default()
        };
        self.as_otp(account, flow, accepted.into()).await;
    }

    pub async fn issue_code(
        &self,
        account: StreamId,
        flow: FlowId,
        purpose: Purpose,
        issue: u64,
    ) -> Position {
        let issued = CodeIssued {
            purpose: purpose.into(),
            issue,
            expires_at: Some(to_timestamp(self.log.now() + time::Duration::minutes(10))),
            ..Default::default()
        };
        self.as_otp(account, flow, issued.into()).await
    }

    pub async fn as_otp(&self, account: StreamId, flow: FlowId, event: CodeEvent) -> Position {
        append(&self.otp, account, Some(flow), &event).await
    }

    pub async fn as_sessions(
        &self,
        account: StreamId,
        flow: Option<FlowId>,
        event: SessionEvent,
    ) -> Position {
        append(&self.sessions, account, flow, &event).await
    }

    /// What a new address leaves in the log, without the table beside it.
    pub async fn change_email(&self, account: StreamId) -> Position {
        let changed: AccountEvent = EmailChanged::default().into();
        append(&self.log, account, None, &changed).await
    }

    /// The row of a login id.
    pub async fn found(&self, login: &str) -> Found {
        self.app.store().find(&login_id(login)).await.unwrap().unwrap()
    }

    /// The hash of a login id's password, without its seal.
    pub async fn phc(&self, login: &str) -> Phc {
        let found = self.found(login).await;
        opened(found.account, &found.password)
    }

    pub async fn account(&self, stream: StreamId) -> Account {
        self.log.load::<Account>(stream).await.unwrap().state
    }

    /// Every entry of kind `account`, in order.
    pub async fn account_entries(&self) -> Vec<Entry> {
        let head = self.log.confirm_head().await.unwrap();
        let page = self
            .log
            .read(Position(0), head, &[Kind::Account], 10_000)
            .await
            .unwrap();
        page.entries
    }

    pub async fn newest(&self) -> (Entry, AccountEvent) {
        let entry = self.account_entries().await.pop().unwrap();
        let event = entry.event().unwrap();
        (entry, event)
    }

    /// From now on `log.now()` is this SQL expression.
    pub async fn shift_clock(&self, expression: &str) {
        self.sql(&format!(
            "create or replace function log.now() returns timestamptz language sql volatile as $$select {expression}$$;"
        ));
        for log in [&self.log, &self.otp, &self.sessions] {
            log.confirm_head().await.unwrap();
        }
    }

    /// What a superuser sees, as psql prints it.
    pub fn sql(&self, statements: &str) -> String {
        self.database.sql(statements).unwrap()
    }
}

pub fn pool_of(threads: usize, queue: usize) -> HashPool {
    HashPool::new(NonZeroUsize::new(threads).unwrap(), queue)
}

pub async fn connect(database: &Database, role: &str) -> Log {
    let settings = LogSettings {
        database_url: database.url(role),
        nats: None,
        service: format!("{role}/test"),
        wake_on: Vec::new(),
        // Some tests shift it after this.
        test_clock: true,
    };
    Log::connect(settings).await.unwrap()
}

/// Appends an event as its service would, at the next version of its stream.
pub async fn append<E: Event>(log: &Log, stream: StreamId, flow: Option<FlowId>, event: &E) -> Position {
    let draft = draft(log, stream, flow, event).await;
    match log.append(draft, &Via::Append).await.unwrap() {
        Appended::Recorded(receipt) => receipt.position,
        other @ (Appended::Conflict | Appended::Expired) => panic!("{other:?}"),
    }
}

/// Every row of the service's own tables, as text.
pub fn dump(bench: &Bench) -> String {
    let tables = bench.sql("select tablename from pg_tables where schemaname = 'credentials' order by 1;");
    let names = tables
        .lines()
        .map(str::trim)
        .filter(|name| !name.starts_with('_') && *name != "migration");
    names
        .map(|table| bench.sql(&format!("select t::text from credentials.{table} as t;")))
        .collect()
}

pub async fn draft<E: Event>(log: &Log, stream: StreamId, flow: Option<FlowId>, event: &E) -> Draft {
    let version: Option<i64> =
        sqlx::query_scalar("select version from log.stream where kind = $1 and stream_id = $2")
            .bind(E::KIND.as_str())
            .bind(stream.0)
            .fetch_optional(log.pool())
            .await
            .unwrap();
    Draft {
        kind: E::KIND,
        stream,
        expected: Version(version.unwrap_or(0).try_into().unwrap()),
        event_id: EventId::new(log.now()),
        flow,
        event_type: event.event_type(),
        payload: Payload {
            event: event.encode(),
            carried: None,
        },
        metadata: Metadata::default(),
        not_after: None,
    }
}

pub fn attempt(login: &str, password: &str) -> Attempt {
    Attempt {
        login_id: login.to_owned(),
        password: Secret::new(password.to_owned()),
        secret_digest: secret_digest(SECRET),
        device: None,
        device_is_new: false,
        seen: Seen::from(Client {
            address: "192.0.2.77".to_owned(),
            user_agent: "canary browser".to_owned(),
        }),
    }
}

pub fn registration(login: &str, address: &str, phc: &Phc) -> Registration {
    let text = |text: &str| text.to_owned();
    Registration {
        login_id: text(login),
        profile: Profile::read(
            text("0450000"),
            text("架空がんセンター"),
            text("登録 花子"),
            address,
        )
        .unwrap(),
        password: FirstPassword::Hash(Box::new(phc.clone())),
        password_is_initial: false,
        disabled: false,
    }
}

pub fn login_id(text: &str) -> LoginId {
    match TypedLogin::read(text) {
        TypedLogin::Possible(login) => login,
        TypedLogin::Impossible(_) => panic!("no login id"),
    }
}

/// A ready-made hash with so much memory, in KiB; below 19456 it is weak.
pub fn hash_of(password: &str, memory: u32) -> Phc {
    Phc::try_from(hash_text(password, memory).as_str()).unwrap()
}

/// The same as text.
pub fn hash_text(password: &str, memory: u32) -> String {
    hash_with(password, Params::new(memory, 2, 1, None).unwrap())
}

/// A hash that takes seconds to compare with: as much work as a ready-made hash may ask for.
pub fn slow_hash_of(password: &str) -> Phc {
    let text = hash_with(password, Params::new(262_144, 10, 1, None).unwrap());
    Phc::try_from(text.as_str()).unwrap()
}

fn hash_with(password: &str, params: Params) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Argon2Version::V0x13, params);
    let salt: [u8; 16] = sekisho_service::entropy::bytes();
    argon2
        .hash_password_with_salt(password.as_bytes(), &salt)
        .unwrap()
        .to_string()
}

/// A hash in the right form that nothing was hashed for.
pub fn hash_without_password(number: u32) -> Phc {
    let text =
        format!("$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby90ZXN0cy8x${number:022}AAAAAAAAAAAAAAAAAAAAA");
    Phc::try_from(text.as_str()).unwrap()
}

pub fn pepper() -> Pepper {
    Pepper::new(ring("2026-03", 3))
}

pub fn sealed(account: StreamId, phc: &Phc) -> SealedHash {
    pepper().seal(account, phc).unwrap()
}

pub fn opened(account: StreamId, password: &StoredPassword) -> Phc {
    pepper().open(account, &password.hash).unwrap()
}

/// A hash as a function's arguments.
pub fn in_sql(hash: &SealedHash) -> String {
    format!(
        "'{}', '{}', {}",
        hash.form,
        hash.pepper_id,
        bytes_in_sql(&hash.sealed)
    )
}

pub fn bytes_in_sql(bytes: &[u8]) -> String {
    format!("'\\x{}'", hex(bytes))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

pub fn ring(id: &str, byte: u8) -> KeyRing {
    ring_of(&[(id, byte)])
}

/// Of several lines, the current one first.
pub fn ring_of(lines: &[(&str, u8)]) -> KeyRing {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (id, byte) in lines {
        writeln!(file, "{id} {}", format!("{byte:02x}").repeat(32)).unwrap();
    }
    KeyRing::read(file.path()).unwrap()
}

/// A call of the combined function, as text; it answers the outcome. The next version after `before` sets the password.
pub fn call_set_password(account: StreamId, before: Version, event_id: EventId, new: &Phc) -> String {
    format!(
        "select outcome from credentials.set_password(row('account', '{account}', {before}, '{event_id}', null, \
         'password_changed', '\\x', '\\x', null, false)::log.draft, row(0, null, 0)::log.known, {})",
        in_sql(&sealed(account, new))
    )
}

/// Waits until `state` yields something, at most [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut state: impl AsyncFnMut() -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = state().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, search)
        .await
        .unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}
