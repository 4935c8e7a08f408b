//! One log of its own per test.

use std::sync::atomic::{AtomicI64, Ordering};

use sekisho_dev::{Database, Postgres, Schema};
use sekisho_eventlog::{Log, LogSettings, ReadError};

use super::{Flow, until};

/// A fresh log.
pub struct World {
    database: Database,
    /// The log, as credentials hold it.
    pub credentials: Log,
    ahead: AtomicI64,
}

impl World {
    pub async fn new() -> Self {
        let start = || Postgres::shared_with(Schema::Files).unwrap();
        let postgres = tokio::task::spawn_blocking(start).await.unwrap();
        Self::on(postgres).await
    }

    /// A fresh log on a server of its own, which the test may stop.
    pub async fn alone() -> (Postgres, Self) {
        let start = || Postgres::start_with(Schema::Files).unwrap();
        let postgres = tokio::task::spawn_blocking(start).await.unwrap();
        let world = Self::on(&postgres).await;
        (postgres, world)
    }

    /// A fresh log on a server.
    pub async fn on(postgres: &Postgres) -> Self {
        let database = postgres.database().unwrap();
        let credentials = connect(&database, "credentials", "credentials/test", None).await;
        Self {
            database,
            credentials,
            ahead: AtomicI64::new(0),
        }
    }

    /// The connection string of a role.
    pub fn url(&self, role: &str) -> String {
        self.database.url(role)
    }

    /// The log, as a replica of otp holds it.
    pub async fn log(&self, service: &str, nats: Option<async_nats::Client>) -> Log {
        connect(&self.database, "otp", service, nats).await
    }

    /// The log, as sessions hold it.
    pub async fn sessions(&self) -> Log {
        connect(&self.database, "sessions", "sessions/test", None).await
    }

    /// An account that has just typed the right password.
    pub async fn sign_in(&self) -> Flow {
        Flow::sign_in(&self.credentials).await
    }

    /// An account or phantom that has just asked for a new password.
    pub async fn reset(&self) -> Flow {
        Flow::reset(&self.credentials).await
    }

    /// Transactions of this database so far; known a second late.
    pub fn transactions(&self) -> u64 {
        let query = "select xact_commit from pg_stat_database where datname = current_database();";
        self.database.sql(query).unwrap().parse().unwrap()
    }

    /// From now on commits wait for a standby that is not there, or no longer.
    pub fn wait_for_standby(&self, waits: bool) {
        let names = if waits { "nobody" } else { "" };
        let set = format!("alter system set synchronous_standby_names = '{names}';");
        for statement in [set.as_str(), "select pg_reload_conf();"] {
            self.database.sql(statement).unwrap();
        }
    }

    /// Puts a copy of the log from before `meanwhile` in its place, and begins an epoch on it.
    pub async fn go_back_over(&self, meanwhile: impl AsyncFnOnce()) {
        self.database.back_up().unwrap();
        meanwhile().await;
        // Whoever has not seen what is lost has nothing to notice.
        self.credentials.confirm_head().await.unwrap();
        self.database.restore().unwrap();
        let went_back = async || matches!(self.credentials.confirm_head().await, Err(ReadError::WentBack));
        until("the log to go back", went_back).await;
        let operator = connect(&self.database, "operator", "sekisho/test", None).await;
        let epoch = operator.start_epoch("test").await.unwrap().position;
        until("the epoch", async || self.credentials.epoch() == epoch).await;
    }

    /// The log, as operators hold it.
    pub async fn operator(&self) -> Log {
        connect(&self.database, "operator", "sekisho/test", None).await
    }

    /// What no version understood is an event that this one does.
    pub fn update_understands_everything(&self) {
        let statement = "update log.entry set event_type = 'flow_cancelled' where event_type = 'code_sung';";
        self.database.sql(statement).unwrap();
    }

    /// Parks so much work of otp.
    pub fn park_many(&self, count: u32) {
        let statement = format!(
            "insert into log.parked (role_name, work, about, attempts, reason, parked_at)
             select 'sekisho_otp', 'mail', number + 1000, 5, 'PANIC', log.now() from generate_series(1, {count}) as number;"
        );
        self.database.sql(&statement).unwrap();
    }

    pub fn a_month_passes_for_the_parked(&self) {
        let statement = "update log.parked set parked_at = parked_at - interval '31 days';";
        self.database.sql(statement).unwrap();
    }

    /// Appends entries that only a newer version would write.
    pub fn record_unknown_kinds(&self, count: u32) {
        let statement = format!(
            "insert into log.entry select position + number, 'of tomorrow', gen_random_uuid(), 1, \
             gen_random_uuid(), null, event_type, recorded_at, payload, metadata \
             from (select * from log.entry order by position desc limit 1) as newest, \
             generate_series(1, {count}) as number;"
        );
        self.database.sql(&statement).unwrap();
    }

    /// Puts the log's clock so far before the real one while an entry is appended, and only then.
    pub fn appends_are_ahead(&self, seconds: i64) {
        let statement = format!(
            "create or replace function log.now() returns timestamptz language sql volatile \
             as $$select clock_timestamp() + case when current_query() like '%log.append%' \
             then interval '{seconds} seconds' else interval '0' end$$;"
        );
        self.database.sql(&statement).unwrap();
    }

    /// Puts the log's clock so far before the real one, and waits until these handles know.
    pub async fn forward(&self, seconds: i64, logs: &[&Log]) {
        let before = self.ahead.swap(seconds, Ordering::SeqCst);
        let later = self.credentials.now() + time::Duration::seconds(seconds - before);
        let statement = format!(
            "create or replace function log.now() returns timestamptz language sql volatile \
             as $$select clock_timestamp() + interval '{seconds} seconds'$$;"
        );
        self.database.sql(&statement).unwrap();
        let all = || logs.iter().copied().chain([&self.credentials]);
        until("the clock", async || all().all(|log| log.now() >= later)).await;
    }
}

async fn connect(database: &Database, role: &str, service: &str, nats: Option<async_nats::Client>) -> Log {
    let wake_on = if nats.is_some() {
        vec!["signin.code.>".to_owned()]
    } else {
        Vec::new()
    };
    let settings = LogSettings {
        database_url: database.url(role),
        nats,
        service: service.to_owned(),
        wake_on,
        test_clock: true,
    };
    Log::connect(settings).await.unwrap()
}
