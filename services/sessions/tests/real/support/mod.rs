//! A log of a test's own, with writers of every kind and replicas of sessions.

pub mod logs;

use std::marker::PhantomData;
use std::time::Duration;

use async_nats::Client;
use sekisho_dev::{Database, Nats, Postgres, Schema};
use sekisho_eventlog::{
    AppendError, Carry, Draft, Entry, EventId, FlowId, Fold, Log, LogSettings, Outcome, Position, Recorded,
    StreamId, Via, bus,
};
use sekisho_evidence::secret_digest;
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::log::v1::Metadata;
use sekisho_proto::otp::v1::{CodeAccepted, Purpose};
use sekisho_proto::{Event, Kind, credentials::v1 as credentials};
use sekisho_service::settings::{KeyRing, Secret};
use sekisho_sessions::Keys;
use sekisho_sessions::app::{Checked, Error, Sessions, Started};
use sekisho_sessions::domain::Limits;
use time::OffsetDateTime;
use tokio::task::JoinHandle;

pub const LIMITS: Limits = Limits {
    idle: time::Duration::minutes(30),
    absolute: time::Duration::hours(12),
    stale: time::Duration::minutes(30),
};

/// How often an append is submitted, 2 s each.
const TRIES: u32 = 10;
/// The longest that the fold of a log is waited for.
const FOLD: Duration = Duration::from_mins(5);
/// The longest that any state is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A log of a test's own.
pub struct World {
    pub database: Database,
    pub credentials: Log,
    pub otp: Log,
}

/// One replica of sessions, in this process.
pub struct Replica {
    pub sessions: Sessions,
    pub log: Log,
    follower: JoinHandle<()>,
}

impl Replica {
    /// What a token opens, once the log is confirmed: a disk that pauses takes that away for a moment.
    pub async fn checked(&self, token: &[u8]) -> Checked {
        let confirmed = async || match self.sessions.check(token).await {
            Err(Error::Unconfirmed) => None,
            answer => Some(answer),
        };
        eventually("the log to be confirmed", confirmed).await.unwrap()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// A flow, as the gateway holds it.
#[derive(Clone)]
pub struct Flow {
    pub id: FlowId,
    pub secret: Secret<Vec<u8>>,
    pub account: StreamId,
}

/// Folds nothing: tests write events of other kinds without deciding anything.
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
    /// What it carries is read by nobody.
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

/// Appends an event as the service that writes its kind.
pub async fn append<E: Event>(
    log: &Log,
    stream: StreamId,
    flow: Option<FlowId>,
    event: impl Into<E>,
) -> Recorded {
    let event: E = event.into();
    let event_id = EventId::new(log.now());
    let draft = async || {
        let loaded = log.load::<Nothing<E>>(stream).await.unwrap();
        Draft {
            flow,
            ..Draft::following(&loaded, stream, event_id, &event, Metadata::default())
        }
    };
    let mut current = draft().await;
    for _ in 0..TRIES {
        match log.append(current.clone(), &Via::Append).await {
            Ok(Outcome::Recorded(receipt)) => {
                return Recorded {
                    position: receipt.position,
                    version: current.expected.next(),
                    stream,
                    event_id,
                    flow,
                    recorded_at: receipt.recorded_at,
                };
            }
            Ok(Outcome::Conflict) => current = draft().await,
            // A disk that takes its time is no finding; the same draft is recorded once.
            Err(AppendError::Unavailable) => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("the log has not answered {TRIES} times")
}

impl World {
    pub async fn new() -> Self {
        // The files, so that no other program of the workspace must be built first.
        Self::on(Postgres::shared_with(Schema::Files).unwrap()).await
    }

    /// On a server that the test may stop.
    pub async fn on(postgres: &Postgres) -> Self {
        Self::of(postgres.database().unwrap()).await
    }

    /// With segments of so many positions instead of 2^24.
    pub async fn with_segments_of(size: u64) -> Self {
        let postgres = Postgres::shared_with(Schema::Files).unwrap();
        let database = postgres.database().unwrap();
        let segments = format!(
            "drop table log.entry_000000, log.entry_000001, log.entry_000002;
             delete from log.segment;
             create or replace function log.segment_size() returns bigint language sql immutable as 'select {size}::bigint';
             set role sekisho_owner;
             select log.make_segments();"
        );
        database.sql(&segments).unwrap();
        Self::of(database).await
    }

    async fn of(database: Database) -> Self {
        logs::begin();
        Self {
            credentials: connect(&database, "credentials").await,
            otp: connect(&database, "otp").await,
            database,
        }
    }

    /// A replica that has folded the log up to its head. It is on no bus.
    pub async fn replica(&self) -> Replica {
        self.replica_at(&self.database.url("sessions"), None).await
    }

    /// A replica that reaches the log by a connection string, and perhaps the bus.
    pub async fn replica_at(&self, database_url: &str, nats: Option<Client>) -> Replica {
        self.replica_with(database_url, nats, keys(7)).await
    }

    /// A replica with limits of its own.
    pub async fn replica_of(&self, database_url: &str, limits: Limits) -> Replica {
        let log = connect_at(database_url.to_owned(), "sessions", None).await;
        run(Sessions::new(log.clone(), limits, keys(7)), log).await
    }

    /// A replica that believes those who have these keys.
    pub async fn replica_with(&self, database_url: &str, nats: Option<Client>, keys: Keys) -> Replica {
        let log = connect_at(database_url.to_owned(), "sessions", nats).await;
        run(Sessions::new(log.clone(), LIMITS, keys), log).await
    }

    /// An account that nobody has used.
    pub fn account(&self) -> StreamId {
        StreamId(EventId::new(self.credentials.now()).0)
    }

    /// A flow whose password was accepted.
    pub async fn password_accepted(&self, account: StreamId) -> Flow {
        let secret: [u8; 32] = sekisho_service::entropy::bytes();
        let flow = Flow {
            id: FlowId::mint(self.credentials.head()),
            secret: Secret::new(secret.to_vec()),
            account,
        };
        self.accept_password(&flow, account).await;
        flow
    }

    /// Mints a flow, perhaps once more.
    pub async fn accept_password(&self, flow: &Flow, account: StreamId) {
        let accepted = credentials::PasswordAccepted {
            secret_digest: secret_digest(flow.secret.expose()).to_vec(),
            password_version: 1,
            ..Default::default()
        };
        append::<AccountEvent>(&self.credentials, account, Some(flow.id), accepted).await;
    }

    pub async fn accept_code(&self, flow: &Flow, account: StreamId, purpose: Purpose) {
        let accepted = CodeAccepted {
            purpose: purpose.into(),
            ..CodeAccepted::default()
        };
        append::<CodeEvent>(&self.otp, account, Some(flow.id), accepted).await;
    }

    /// A flow with all the evidence that a session needs.
    pub async fn verified(&self, account: StreamId) -> Flow {
        let flow = self.password_accepted(account).await;
        self.accept_code(&flow, account, Purpose::SignIn).await;
        flow
    }

    /// Begins an epoch, and waits until the writers of this world know.
    pub async fn start_epoch(&self) -> Position {
        let operator = connect(&self.database, "operator").await;
        let epoch = operator.start_epoch("test").await.unwrap().position;
        eventually("the epoch", async || {
            let known = [&self.credentials, &self.otp].map(Log::epoch);
            (known == [epoch, epoch]).then_some(())
        })
        .await;
        epoch
    }

    pub async fn close_host(&self, host: &str) {
        let operator = connect(&self.database, "operator").await;
        operator.change_maintenance("test", host, true).await.unwrap();
    }

    pub async fn change_password(&self, account: StreamId) -> Position {
        let changed = credentials::PasswordChanged::default();
        append::<AccountEvent>(&self.credentials, account, None, changed)
            .await
            .position
    }

    /// All sessions of an account, as the log has them.
    pub async fn session_events(&self, account: StreamId) -> Vec<(Entry, SessionEvent)> {
        let head = self.otp.confirm_head().await.unwrap();
        let page = self
            .otp
            .read(Position(0), head, &[Kind::Session], 10_000)
            .await
            .unwrap();
        let own = page
            .entries
            .into_iter()
            .filter(|entry| entry.recorded.stream == account);
        own.map(|entry| (entry.clone(), entry.event().unwrap())).collect()
    }

    /// How many SessionExtended the log holds.
    pub fn extensions(&self) -> u64 {
        let count = "select count(*) from log.entry where event_type = 'session_extended';";
        self.database.sql(count).unwrap().parse().unwrap()
    }

    /// How many SessionExtended tell of a use between two moments.
    pub async fn extensions_between(&self, from: OffsetDateTime, to: OffsetDateTime) -> usize {
        let head = self.otp.confirm_head().await.unwrap();
        let page = self
            .otp
            .read(Position(0), head, &[Kind::Session], 10_000)
            .await
            .unwrap();
        let events = page.entries.iter().filter_map(|entry| entry.event().ok());
        let moments = events.filter_map(|event| match event {
            SessionEvent::SessionExtended(extended) => extended.active_at,
            _ => None,
        });
        let moments = moments.filter_map(|at| sekisho_proto::from_timestamp(&at));
        moments.filter(|at| (from..to).contains(at)).count()
    }

    /// Stops the log's clock at a moment. A process's own clock then runs on from there between two reads of the head.
    pub async fn stop_clock(&self, at: OffsetDateTime, replicas: &[&Replica]) {
        let micros = at.unix_timestamp_nanos() / 1_000;
        let statement = format!(
            "create or replace function log.now() returns timestamptz language sql volatile as
             $$select timestamptz 'epoch' + interval '1 microsecond' * {micros}$$;"
        );
        self.database.sql(&statement).unwrap();
        for log in replicas
            .iter()
            .map(|replica| &replica.log)
            .chain([&self.credentials, &self.otp])
        {
            log.confirm_head().await.unwrap();
        }
    }
}

impl Replica {
    /// From now on it folds nothing.
    pub fn stop_folding(&self) {
        self.follower.abort();
    }

    pub async fn start(&self, flow: &Flow) -> Result<Started, sekisho_sessions::app::Error> {
        self.sessions.start(flow.id, flow.secret.expose()).await
    }
}

/// A connection to the bus as sessions has it.
pub async fn client(nats: &Nats) -> Client {
    let url: sekisho_service::settings::BusUrl =
        sekisho_service::settings::Value::parse(&nats.url("sessions")).unwrap();
    let client = bus::connect(url.server(), url.login(), "sessions").await.unwrap();
    client.flush().await.unwrap();
    client
}

/// Folds the log up to its head, and goes on.
async fn run(sessions: Sessions, log: Log) -> Replica {
    let (folded, at_head) = tokio::sync::oneshot::channel();
    let follower = tokio::spawn({
        let sessions = sessions.clone();
        async move {
            let follow = sessions.follow(move || folded.send(()).unwrap());
            tokio::select! {
                never = follow => match never {},
                never = sessions.hear() => match never {},
            }
        }
    });
    tokio::time::timeout(FOLD, at_head).await.unwrap().unwrap();
    Replica {
        sessions,
        log,
        follower,
    }
}

/// The keys of all replicas are 7; any other number is a forger's.
pub fn keys(byte: u8) -> Keys {
    let file = tempfile::NamedTempFile::new().unwrap();
    let digits = format!("{byte:02x}").repeat(32);
    std::fs::write(file.path(), format!("test {digits}\n")).unwrap();
    Keys::new(KeyRing::read(file.path()).unwrap())
}

async fn connect(database: &Database, service: &str) -> Log {
    connect_at(database.url(service), service, None).await
}

async fn connect_at(database_url: String, service: &str, nats: Option<Client>) -> Log {
    let settings = LogSettings {
        database_url,
        wake_on: nats.iter().map(|_| "signin.session.>".to_owned()).collect(),
        nats,
        service: format!("{service}/test"),
        test_clock: true,
    };
    Log::connect(settings).await.unwrap()
}

/// Waits until a state is reached.
pub async fn eventually<T>(what: &str, mut state: impl AsyncFnMut() -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = state().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, search).await;
    found.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}
