//! The log, as a service holds it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use sekisho_proto::{Event, Kind};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument as _;

use crate::alarm::{Alarm, LogEnded};
use crate::append::{AppendError, Outcome};
use crate::clock::Clock;
use crate::connect::{ConnectError, LogSettings, connect_options, reading_pool};
use crate::draft::{Draft, Via};
use crate::entry::Entry;
use crate::fold::{Fold, Loaded};
use crate::follow::Follower;
use crate::head::{Head, Heads, Known, Mark};
use crate::ids::{FlowId, Position, StreamId};
use crate::publish::Publisher;
use crate::read::{self, Page, ReadError, until_answered};
use crate::streams::Streams;
use crate::tasks::{Poller, confirm, keep_segments_ahead};
use crate::wake::{self, Messages, Wakeups};
use crate::writer::Writer;

/// Between two attempts to reach a log that is not there yet.
const PAUSE: Duration = Duration::from_millis(500);
/// The clock of every log that is not a test's.
const CLOCK: &str = "select clock_timestamp()";

/// A handle on the log. Cheap to clone; its tasks end with the last clone.
#[derive(Clone)]
pub struct Log {
    pool: PgPool,
    writer: Writer,
    heads: Heads,
    clock: Clock,
    streams: Streams,
    nats: Option<Client>,
    service: Arc<str>,
    alarm: Alarm,
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
    /// Like [`Log::connect`], and waits for PostgreSQL as long as it takes.
    ///
    /// # Errors
    /// [`ConnectError`] for what waiting does not mend.
    pub async fn connect_when_there(settings: LogSettings) -> Result<Self, ConnectError> {
        loop {
            match Self::connect(settings.clone()).await {
                Err(ConnectError::Read(error)) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the log is not there yet"
                    );
                }
                connected => return connected,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Connects, reads the head and starts the background tasks.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(settings: LogSettings) -> Result<Self, ConnectError> {
        let options = connect_options(&settings)?;
        let pool = reading_pool(&options);
        if !settings.test_clock && until_answered(|| read::clock_source(&pool)).await?.trim() != CLOCK {
            return Err(ConnectError::TestClock);
        }
        let missing = until_answered(|| read::missing_guards(&pool)).await?;
        if !missing.is_empty() {
            return Err(ConnectError::Unguarded(missing));
        }
        let open = until_answered(|| read::open_segment(&pool)).await?;
        let asked = Instant::now();
        let (answer, now) = until_answered(|| read::head(&pool, open, Head::default())).await?;
        let heads = Heads::new(answer);
        let clock = Clock::new(now, asked);
        let alarm = Alarm::default();
        let publisher = Publisher::start(settings.nats.clone(), &settings.service, &alarm);
        let stop = CancellationToken::new();
        let log = Self {
            writer: Writer::start(&options, heads.clone(), publisher, &alarm),
            pool,
            heads,
            clock,
            streams: Streams::default(),
            nats: settings.nats,
            service: settings.service.into(),
            alarm,
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
        };
        let poll = self.alarm.watch(poller.run(wakeups));
        let make = self.alarm.watch(keep_segments_ahead(self.pool.clone()));
        tokio::spawn(stop.clone().run_until_cancelled_owned(poll));
        tokio::spawn(stop.clone().run_until_cancelled_owned(make));
    }

    /// The log's time: the database's at the last head poll, plus the monotonic time since.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// The newest position that this process knows of.
    pub fn head(&self) -> Position {
        self.heads.known().head.position
    }

    /// Where the newest EpochStarted stands; 0 before the first. Whatever was minted before it is cut.
    pub fn epoch(&self) -> Position {
        self.heads.known().epochs.newest()
    }

    /// The newest position that this process knows of, and in which history.
    pub fn mark(&self) -> Mark {
        let known = self.heads.known();
        Mark {
            history: known.history,
            position: known.head.position,
        }
    }

    /// Whether the log is not the one that this process has read.
    pub fn went_back(&self) -> bool {
        self.heads.known().went_back
    }

    /// How long ago PostgreSQL confirmed the head.
    pub fn head_age(&self) -> Duration {
        self.clock.age()
    }

    /// A moment of the log's clock at which PostgreSQL had not been asked for the head yet: what was committed before
    /// it is not past the known head.
    pub fn head_asked_at(&self) -> OffsetDateTime {
        self.clock.asked_at()
    }

    /// Since when, by [`Log::now`], the log has answered without an outage: its head was confirmed every few seconds, and
    /// no append of this process went without an answer. At first since this process reached it.
    pub fn steady_since(&self) -> OffsetDateTime {
        self.clock.steady_since()
    }

    /// The service as it stands in metadata.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The pool of reading connections, for a service's own tables.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Returns when a background task of this handle has died. Whoever holds a log for long should end then.
    pub async fn ended(&self) -> LogEnded {
        self.alarm.rung().await;
        LogEnded
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Known> {
        self.heads.watch()
    }

    /// Appends one draft. Commands go through [`Log::decide`]; this is for what decides elsewhere.
    ///
    /// # Errors
    /// [`AppendError`]; after `Unavailable` the entry may or may not stand in the log.
    pub async fn append(&self, draft: Draft, via: &Via) -> Result<Outcome, AppendError> {
        let span = tracing::info_span!(
            "log.entry.append",
            otel.kind = "client",
            db.system.name = "postgresql",
            kind = draft.kind.as_str(),
            event_type = draft.event_type,
        );
        let outcome = self.writer.append(draft, via).instrument(span).await;
        self.notice(&outcome);
        outcome
    }

    /// Whether the log takes entries: an append of nothing, which waits for the lock and the disk like any other. For who
    /// seldom appends and must know [since when](Self::steady_since).
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn probe(&self) -> Result<(), AppendError> {
        let outcome = self.writer.probe().await;
        self.notice(&outcome);
        outcome
    }

    fn notice<T>(&self, outcome: &Result<T, AppendError>) {
        let is_silent = matches!(outcome, Err(AppendError::Busy | AppendError::Unavailable));
        self.clock.notice(!is_silent);
    }

    /// The state of a stream.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn load<F: Fold>(&self, stream: StreamId) -> Result<Loaded<F>, ReadError> {
        let span = tracing::info_span!(
            "log.stream.load",
            otel.kind = "client",
            db.system.name = "postgresql",
            kind = F::Event::KIND.as_str(),
        );
        self.read_in_time(|| read::load(&self.pool, stream))
            .instrument(span)
            .await
    }

    /// The states of two streams of one id, which are of different kinds, as they are at one moment.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn load_both<F: Fold, G: Fold>(
        &self,
        stream: StreamId,
    ) -> Result<(Loaded<F>, Loaded<G>), ReadError> {
        let span = tracing::info_span!(
            "log.stream.load",
            otel.kind = "client",
            db.system.name = "postgresql",
            kind = F::Event::KIND.as_str(),
            and = G::Event::KIND.as_str(),
        );
        self.read_in_time(|| read::load_both(&self.pool, stream))
            .instrument(span)
            .await
    }

    /// The newest entries of a stream whose event is of one of these types, newest first, at most `limit` of those after a
    /// position.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn newest<E: Event>(
        &self,
        event_types: &[&str],
        stream: StreamId,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Entry>, ReadError> {
        self.read_in_time(|| read::newest(&self.pool, E::KIND, event_types, stream, after, limit))
            .await
    }

    /// The flows of a kind's entries after a position and up to another, each with its stream, newest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn flows(
        &self,
        kind: Kind,
        after: Position,
        upto: Position,
    ) -> Result<Vec<(FlowId, StreamId)>, ReadError> {
        self.read_in_time(|| read::flows(&self.pool, kind, after, upto))
            .await
    }

    /// All entries of a flow, in order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn flow(&self, flow: FlowId) -> Result<Vec<Entry>, ReadError> {
        let span = tracing::info_span!(
            "log.flow.read",
            otel.kind = "client",
            db.system.name = "postgresql",
        );
        self.read_in_time(|| read::flow(&self.pool, flow))
            .instrument(span)
            .await
    }

    /// The entry at a position.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn entry(&self, position: Position) -> Result<Option<Entry>, ReadError> {
        self.read_in_time(|| read::entry(&self.pool, position)).await
    }

    /// When the entry at a position was recorded, of whatever kind it is.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn recorded_at(&self, position: Position) -> Result<Option<OffsetDateTime>, ReadError> {
        self.read_in_time(|| read::recorded_at(&self.pool, position))
            .await
    }

    /// Entries of some kinds after a position and not after another, in order. [`Page::upto`] says how far it came;
    /// that is never past the known head, where entries may still be on their way.
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
        let upto = upto.min(self.head());
        self.read_in_time(|| read::page(&self.pool, after, upto, kinds, limit))
            .await
    }

    /// Nothing is read from a log that has gone back.
    async fn read_in_time<T, R: Future<Output = Result<T, ReadError>>>(
        &self,
        read: impl Fn() -> R,
    ) -> Result<T, ReadError> {
        if self.heads.known().went_back {
            return Err(ReadError::WentBack);
        }
        until_answered(read).await
    }

    /// Asks PostgreSQL for the head now. Whatever was committed before the call stands at or before the answer.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn confirm_head(&self) -> Result<Position, ReadError> {
        confirm(&self.pool, &self.heads, &self.clock).await
    }

    /// Follows some kinds from after a position on.
    pub fn follow(&self, kinds: &[Kind], after: Position) -> Follower {
        Follower::new(self.clone(), kinds, after)
    }

    /// Tells other processes something directly, beside the log; whether the bus has taken it.
    pub async fn tell(&self, subject: &'static str, body: Vec<u8>) -> bool {
        wake::tell(self.nats.as_ref(), subject, body).await
    }

    /// What other processes tell directly. Nobody vouches for it: the reader must.
    pub async fn hear(&self, subject: &'static str) -> Messages {
        Messages::of(self.nats.as_ref(), subject).await
    }

    /// Messages of one NATS subject, each to one replica of the group.
    pub async fn share_wakeups(&self, subject: &str, group: &str) -> Wakeups {
        Wakeups::shared(self.nats.as_ref(), subject, group).await
    }
}
