//! A fresh database for one test.

use std::sync::{Arc, Weak};

use sekisho_dev::{Database, Postgres, Schema};
use sekisho_eventlog::{Log, LogSettings};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Row};
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::raw;

/// Tests that measure time or use all of the machine run alone.
static ROOM: RwLock<()> = RwLock::const_new(());
/// The turn of the tests that measure time and hardly use the machine: they may be beside each other.
static QUIET: Mutex<Weak<RwLockWriteGuard<'static, ()>>> = Mutex::const_new(Weak::new());

#[expect(dead_code, reason = "held, never read")]
enum Turn {
    Shared(RwLockReadGuard<'static, ()>),
    Quiet(Arc<RwLockWriteGuard<'static, ()>>),
    Alone(RwLockWriteGuard<'static, ()>),
}

/// A database with the schema `log`, which goes with its server.
pub struct Db {
    database: Database,
    _turn: Turn,
}

impl Db {
    /// For a test that may run beside others.
    pub async fn new() -> Self {
        Self::in_turn(Turn::Shared(ROOM.read().await))
    }

    /// For a test that measures time and hardly uses the machine: none but its like run beside it.
    pub async fn quiet() -> Self {
        let mut current = QUIET.lock().await;
        let turn = match current.upgrade() {
            Some(turn) => turn,
            None => Arc::new(ROOM.write().await),
        };
        *current = Arc::downgrade(&turn);
        Self::in_turn(Turn::Quiet(turn))
    }

    /// For a test that must run alone.
    pub async fn alone() -> Self {
        Self::in_turn(Turn::Alone(ROOM.write().await))
    }

    fn in_turn(turn: Turn) -> Self {
        let server = Postgres::shared_with(Schema::Files).unwrap();
        Self {
            database: server.database().unwrap(),
            _turn: turn,
        }
    }

    /// Keeps tests away that must run alone, for a test with a server of its own.
    pub async fn turn() -> RwLockReadGuard<'static, ()> {
        ROOM.read().await
    }

    /// The connection string of a role.
    pub fn url(&self, role: &str) -> String {
        self.database.url(role)
    }

    /// The connection string of a role by way of another address. In plain text, so that a proxy can read along.
    pub fn url_by(&self, role: &str, address: std::net::SocketAddr) -> String {
        let direct = self.address().to_string();
        self.url(role).replace(&direct, &address.to_string()) + "?sslmode=disable"
    }

    /// Where PostgreSQL listens.
    pub fn address(&self) -> std::net::SocketAddr {
        let options: PgConnectOptions = self.url("postgres").parse().unwrap();
        format!("{}:{}", options.get_host(), options.get_port())
            .parse()
            .unwrap()
    }

    /// The log without NATS, as the otp service holds it.
    pub async fn log(&self) -> Log {
        self.log_as("otp").await
    }

    /// The log without NATS, as a service holds it.
    pub async fn log_as(&self, role: &str) -> Log {
        self.log_at(self.url(role)).await
    }

    /// The log without NATS by a connection string.
    pub async fn log_at(&self, database_url: String) -> Log {
        Log::connect(settings(database_url)).await.unwrap()
    }

    /// A connection of a role.
    pub async fn connection(&self, role: &str) -> PgConnection {
        let options: PgConnectOptions = self.url(role).parse().unwrap();
        options.disable_statement_logging().connect().await.unwrap()
    }

    /// Runs statements as the superuser; the rows of all, columns divided by `|`.
    pub fn sql(&self, statements: &str) -> String {
        self.database.sql(statements).unwrap()
    }

    /// Changes a setting of this database for connections that begin later.
    pub fn alter_database(&self, what: &str) {
        let name = self.database.name();
        // A session of its own might be one that may not write any more.
        self.sql(&format!(
            "set default_transaction_read_only = off; alter database {name} {what};"
        ));
    }

    /// Keeps a copy of the log as it is now.
    pub fn back_up(&self) {
        self.database.back_up().unwrap();
    }

    /// Puts the copy under whoever uses the log.
    pub fn restore(&self) {
        self.database.restore().unwrap();
    }

    /// A number that the superuser reads.
    pub fn number(&self, query: &str) -> u64 {
        self.sql(query).parse().unwrap()
    }

    /// The server's own time, whatever clock the log has.
    pub fn server_time(&self) -> time::OffsetDateTime {
        let micros = self.number("select (extract(epoch from clock_timestamp()) * 1000000)::bigint;");
        time::OffsetDateTime::UNIX_EPOCH + std::time::Duration::from_micros(micros)
    }

    /// How many entries the log holds.
    pub fn entries(&self) -> u64 {
        self.number("select count(*) from log.entry;")
    }

    /// Locks the head until the answer is dropped or its transaction ends.
    pub async fn lock_head(&self) -> PgConnection {
        let mut holder = self.connection("postgres").await;
        raw::run(&mut holder, "begin; select from log.head for update")
            .await
            .unwrap();
        holder
    }

    /// Sessions that wait for the log's lock right now.
    pub async fn waiting(&self, connection: &mut PgConnection) -> i64 {
        let query = "select count(*) from pg_locks join pg_stat_activity using (pid)
            where not granted and datname = current_database()";
        raw::run(connection, query).await.unwrap()[0].get(0)
    }

    /// Panics unless positions are 1..n, versions of each stream 1..m, times in order and event ids used once.
    pub fn assert_whole(&self) {
        assert_eq!(self.database.faults_of_the_log().unwrap(), "0|0|0|0|0");
    }
}

/// Settings without NATS.
pub fn settings(database_url: String) -> LogSettings {
    LogSettings {
        database_url,
        nats: None,
        service: "test/1".to_owned(),
        wake_on: Vec::new(),
        test_clock: false,
    }
}
