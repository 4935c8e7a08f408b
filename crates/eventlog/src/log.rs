//! The log, as a service holds it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use sekisho_proto::Kind;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::append::{AppendError, Outcome};
use crate::clock::Clock;
use crate::draft::{Draft, Via};
use crate::entry::Entry;
use crate::fold::{Fold, Loaded};
use crate::follow::{Follower, POLL};
use crate::head::{Head, Heads};
use crate::ids::{FlowId, Position, StreamId};
use crate::publish::Publisher;
use crate::read::{self, Page, ReadError};
use crate::streams::Streams;
use crate::wake::Wakeups;
use crate::writer::Writer;

/// Reading connections of one process, at most.
const READERS: u32 = 8;
/// How long a read waits for a connection and for its answer.
const READ: Duration = Duration::from_secs(2);
/// How often the segments ahead are looked after.
const SEGMENTS: Duration = Duration::from_hours(1);
/// The clock of every log that is not a test's.
const CLOCK: &str = "select clock_timestamp()";

/// How a service reaches the log.
#[derive(Clone)]
pub struct LogSettings {
    /// The PostgreSQL connection string, with the service's own role.
    pub database_url: String,
    /// The bus; without it everything happens a second later.
    pub nats: Option<Client>,
    /// Service and version, such as `otp/0.1.0`; stands in the metadata of what it writes.
    pub service: String,
    /// The NATS subjects whose messages wake this process.
    pub wake_on: Vec<String>,
    /// Whether a test's `log.now()` is accepted.
    pub test_clock: bool,
}

/// Why the log is not used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The connection string is none.
    #[error("the connection string cannot be read")]
    Url,
    /// PostgreSQL did not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// `log.now()` is not the function that the migration made.
    #[error("log.now() is not the database's clock: this log belongs to a test")]
    TestClock,
}

/// A handle on the log. Cheap to clone; its tasks end with the last clone.
#[derive(Clone)]
pub struct Log {
    pool: PgPool,
    writer: Writer,
    heads: Heads,
    clock: Clock,
    streams: Streams,
    poll_now: Arc<Notify>,
    nats: Option<Client>,
    service: Arc<str>,
    _tasks: Arc<DropGuard>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("service", &self.service)
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

impl Log {
    /// Connects, reads the head and starts the background tasks.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(settings: LogSettings) -> Result<Self, ConnectError> {
        let options = connect_options(&settings)?;
        let pool = PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(READ)
            .connect_lazy_with(
                options
                    .clone()
                    .options([("plan_cache_mode", "force_custom_plan")]),
            );
        if !settings.test_clock && read::clock_source(&pool).await?.trim() != CLOCK {
            return Err(ConnectError::TestClock);
        }
        let (head, now) = read::head(&pool, read::open_segment(&pool).await?).await?;
        let heads = Heads::new(if head.event_id.is_some() {
            head
        } else {
            Head::default()
        });
        let clock = Clock::new(now, Instant::now());
        let publisher = Publisher::start(settings.nats.clone(), &settings.service);
        let stop = CancellationToken::new();
        let log = Self {
            writer: Writer::start(options, heads.clone(), publisher),
            pool,
            heads,
            clock,
            streams: Streams::default(),
            poll_now: Arc::new(Notify::new()),
            nats: settings.nats,
            service: settings.service.into(),
            _tasks: Arc::new(stop.clone().drop_guard()),
        };
        log.start_tasks(&settings.wake_on, &stop).await;
        Ok(log)
    }

    async fn start_tasks(&self, wake_on: &[String], stop: &CancellationToken) {
        let wakeups = Wakeups::all(self.nats.as_ref(), wake_on).await;
        let poller = Poller {
            pool: self.pool.clone(),
            heads: self.heads.clone(),
            clock: self.clock.clone(),
            poll_now: Arc::clone(&self.poll_now),
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(poller.run(wakeups)));
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(keep_segments_ahead(self.pool.clone())),
        );
    }

    /// The log's time: the database's at the last head poll, plus the monotonic time since.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// The newest position that this process knows of.
    pub fn head(&self) -> Position {
        self.heads.known().position
    }

    /// How long ago PostgreSQL confirmed the head.
    pub fn head_age(&self) -> Duration {
        self.clock.age()
    }

    /// The service as it stands in metadata.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The pool of reading connections, for a service's own tables.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(crate) fn watch_head(&self) -> watch::Receiver<Head> {
        self.heads.watch()
    }

    /// Appends one draft. Commands go through [`Log::decide`]; this is for what decides elsewhere.
    ///
    /// # Errors
    /// [`AppendError`]; after `Unavailable` the entry may or may not stand in the log.
    pub async fn append(&self, draft: Draft, via: &Via) -> Result<Outcome, AppendError> {
        self.writer.append(draft, via).await
    }

    /// The state of a stream.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn load<F: Fold>(&self, stream: StreamId) -> Result<Loaded<F>, ReadError> {
        in_time(read::load(&self.pool, stream)).await
    }

    /// All entries of a flow, in order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn flow(&self, flow: FlowId) -> Result<Vec<Entry>, ReadError> {
        in_time(read::flow(&self.pool, flow)).await
    }

    /// The entry at a position.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn entry(&self, position: Position) -> Result<Option<Entry>, ReadError> {
        in_time(read::entry(&self.pool, position)).await
    }

    /// Entries of some kinds after a position and not after another, in order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read(
        &self,
        after: Position,
        upto: Position,
        kinds: &[Kind],
        limit: u32,
    ) -> Result<Page, ReadError> {
        in_time(read::page(&self.pool, after, upto, kinds, limit)).await
    }

    /// Asks PostgreSQL for the head now. Whatever was committed before the call stands at or before the answer.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn confirm_head(&self) -> Result<Position, ReadError> {
        let (head, now) = in_time(read::head(&self.pool, self.head())).await?;
        self.heads.advance(head);
        self.clock.set(now, Instant::now());
        Ok(head.position)
    }

    /// Follows some kinds from after a position on.
    pub fn follow(&self, kinds: &[Kind], after: Position) -> Follower {
        Follower::new(self.clone(), kinds, after)
    }

    /// Messages of one NATS subject, each to one replica of the group.
    pub async fn share_wakeups(&self, subject: &str, group: &str) -> Wakeups {
        Wakeups::shared(self.nats.as_ref(), subject, group).await
    }
}

fn connect_options(settings: &LogSettings) -> Result<PgConnectOptions, ConnectError> {
    let options: PgConnectOptions = settings.database_url.parse().map_err(|_| ConnectError::Url)?;
    Ok(options
        .application_name(&settings.service)
        .disable_statement_logging())
}

async fn in_time<T>(read: impl Future<Output = Result<T, ReadError>>) -> Result<T, ReadError> {
    timeout(READ, read)
        .await
        .unwrap_or(Err(ReadError::Unavailable(sqlx::Error::PoolTimedOut)))
}

/// Polls the head every 500 ms, and at once when a message says that it moved.
struct Poller {
    pool: PgPool,
    heads: Heads,
    clock: Clock,
    poll_now: Arc<Notify>,
}

impl Poller {
    async fn run(self, mut wakeups: Wakeups) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = self.poll_now.notified() => {}
                hint = wakeups.next() => {
                    if hint <= self.heads.known().position {
                        continue;
                    }
                }
            }
            match in_time(read::head(&self.pool, self.heads.known().position)).await {
                Ok((head, now)) => {
                    self.clock.set(now, Instant::now());
                    self.heads.advance(head);
                }
                Err(error) => tracing::warn!(%error, "head not confirmed"),
            }
        }
    }
}

async fn keep_segments_ahead(pool: PgPool) {
    loop {
        // A role that only reads may not make segments, and need not.
        if let Err(error) = read::make_segments(&pool).await {
            tracing::debug!(%error, "no segments made");
        }
        tokio::time::sleep(SEGMENTS).await;
    }
}
