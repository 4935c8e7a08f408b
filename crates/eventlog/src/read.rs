//! Reads of the log. Each names a lower bound, so that old segments are never touched.

use std::time::Duration;

use sekisho_proto::{Event as _, EventError, Kind};
use sqlx::PgPool;
use sqlx::error::DatabaseError;
use time::OffsetDateTime;
use tokio::time::timeout;

use crate::entry::{Entry, Row};
use crate::fold::{Fold, Loaded, refold};
use crate::head::{Answer, Epochs, Head};
use crate::ids::{EventId, FlowId, Position, StreamId};

/// Why a read has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// PostgreSQL did not answer.
    #[error("the log cannot be read")]
    Unavailable(#[source] sqlx::Error),
    /// The log is not the one that this process has read: a copy was restored, or a failover lost entries.
    #[error("the log is not the one that this process has read")]
    WentBack,
    /// The log that was followed has gone back, and another has taken its place: whatever was folded is void.
    #[error("another log has taken the place of the one that was followed")]
    Replaced,
    /// An entry that this version does not understand, or a stream whose beginning is gone: nothing may be decided on
    /// it.
    #[error("the log holds an entry that this version does not understand")]
    Unknown(#[from] EventError),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error)
    }
}

/// Reading connections of one process, at most.
pub(crate) const READERS: u32 = 8;
/// How long a read waits for a connection and for its answer.
pub(crate) const READ: Duration = Duration::from_secs(2);
/// What `log.load` raises for a stream whose entries are not there.
const ENTRIES_GONE: &str = "SK007";
/// Positions that one page looks at for each entry that it may hold.
const SPARSE: u64 = 10;

/// A run of entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The entries of the kinds asked for, in order; may be empty.
    pub entries: Vec<Entry>,
    /// Everything up to here was looked at. May be short of what was asked for, and is never past the known head.
    pub upto: Position,
}

/// The head, the epochs and the database's time, from one statement. `from` is a position at or before the newest entry;
/// `known` is an entry that the log should hold.
pub(crate) async fn head(
    pool: &PgPool,
    from: Position,
    known: Head,
) -> Result<(Answer, OffsetDateTime), ReadError> {
    let row = sqlx::query!(
        r#"
        select log.now() as "now!", newest.position as "position?", newest.event_id as "event_id?",
            $2::bigint = 0 or exists (select from log.entry where position = $2 and event_id = $3) as "stands!",
            array(select position from log.epoch order by position) as "epochs!",
            array(select event_id from log.epoch order by position) as "epoch_ids!"
        from (select 1) as one
        left join lateral (
            select position, event_id from log.entry where position >= $1 order by position desc limit 1
        ) as newest on true
        "#,
        from.to_sql(),
        known.position.to_sql(),
        known.event_id.map(|event| event.0)
    )
    .fetch_one(pool)
    .await?;
    let head = |(position, event_id)| Head {
        position: Position::from_sql(position),
        event_id: Some(EventId(event_id)),
    };
    let answer = Answer {
        newest: row.position.zip(row.event_id).map(head),
        stands: row.stands,
        epochs: Epochs(row.epochs.into_iter().zip(row.epoch_ids).map(head).collect()),
    };
    Ok((answer, row.now))
}

/// Where the newest segment begins that holds an entry: a lower bound for a process that knows no head yet.
pub(crate) async fn open_segment(pool: &PgPool) -> Result<Position, ReadError> {
    let first = sqlx::query_scalar!(r#"select max(first_position) as "first" from log.segment where opened"#)
        .fetch_one(pool)
        .await?;
    Ok(Position::from_sql(first.unwrap_or(1)))
}

/// The source text of `log.now()`.
pub(crate) async fn clock_source(pool: &PgPool) -> Result<String, ReadError> {
    let source = sqlx::query_scalar!(
        r#"select prosrc as "source!" from pg_proc where oid = to_regprocedure('log.now()')"#
    )
    .fetch_one(pool)
    .await?;
    Ok(source)
}

/// The guards of `deploy/postgres/roles.sql` that this session lacks: time-outs that keep a stuck client from holding up
/// all others, and what keeps the text of statements out of the server's log and views.
pub(crate) async fn missing_guards(pool: &PgPool) -> Result<Vec<String>, ReadError> {
    let missing = sqlx::query_scalar!(
        r#"
        select name as "name!" from pg_settings
        left join (values ('statement_timeout', 5000), ('lock_timeout', 2000),
                ('idle_in_transaction_session_timeout', 2000), ('tcp_user_timeout', 1000))
            as bounded (name, most) using (name)
        left join (values ('log_min_error_statement', 'panic'), ('log_min_messages', 'fatal'), ('log_statement', 'none'),
                ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'),
                ('log_transaction_sample_rate', '0'), ('track_activities', 'off'))
            as fixed (name, value) using (name)
        where (most is not null and setting::integer not between 1 and most
                -- A local socket has no such time-out, and only Linux knows it.
                and not (name = 'tcp_user_timeout' and (inet_client_addr() is null or version() !~ 'linux')))
            or setting <> value
        order by name
        "#
    )
    .fetch_all(pool)
    .await?;
    Ok(missing)
}

/// Makes segments ahead of the head.
pub(crate) async fn make_segments(pool: &PgPool) -> Result<(), ReadError> {
    sqlx::query_scalar!("select log.make_segments()")
        .fetch_one(pool)
        .await?;
    Ok(())
}

/// The state of a stream.
pub(crate) async fn load<F: Fold>(pool: &PgPool, stream: StreamId) -> Result<Loaded<F>, ReadError> {
    let newest = stream_entries(pool, &[F::Event::KIND], stream, false).await?;
    state(pool, stream, &newest).await
}

/// The states of two streams of one id, from one statement.
pub(crate) async fn load_both<F: Fold, G: Fold>(
    pool: &PgPool,
    stream: StreamId,
) -> Result<(Loaded<F>, Loaded<G>), ReadError> {
    let (one, other) = (F::Event::KIND, G::Event::KIND);
    let newest = stream_entries(pool, &[one, other], stream, false).await?;
    let (of_one, of_other): (Vec<Entry>, Vec<Entry>) =
        newest.into_iter().partition(|entry| entry.kind == one);
    Ok((
        state(pool, stream, &of_one).await?,
        state(pool, stream, &of_other).await?,
    ))
}

/// The state that a stream's newest entries make: those that `log.load` answers when not asked for all.
async fn state<F: Fold>(pool: &PgPool, stream: StreamId, newest: &[Entry]) -> Result<Loaded<F>, ReadError> {
    if newest.is_empty() {
        return Ok(Loaded::default());
    }
    if let Some(loaded) = refold(newest)? {
        return Ok(loaded);
    }
    // The carried state is of another version of the fold: from the first entry, until the next entry carries one of
    // this version.
    let all = stream_entries(pool, &[F::Event::KIND], stream, true).await?;
    let loaded = refold(&all)?.ok_or_else(|| beginning_gone(stream))?;
    Ok(Loaded {
        refolded: true,
        ..loaded
    })
}

async fn stream_entries(
    pool: &PgPool,
    kinds: &[Kind],
    stream: StreamId,
    whole: bool,
) -> Result<Vec<Entry>, ReadError> {
    let names = names(kinds);
    let rows = sqlx::query_as!(
        Row,
        r#"select position as "position!", kind as "kind!", stream_id as "stream_id!", version as "version!",
            event_id as "event_id!", flow_id, event_type as "event_type!", recorded_at as "recorded_at!",
            payload as "payload!", metadata as "metadata!"
        from log.load($1, $2, $3)"#,
        &names,
        stream.0,
        whole
    )
    .fetch_all(pool)
    .await
    .map_err(
        |error| match error.as_database_error().and_then(DatabaseError::code) {
            Some(code) if code == ENTRIES_GONE => ReadError::Unknown(beginning_gone(stream)),
            _ => error.into(),
        },
    )?;
    entries(rows)
}

fn beginning_gone(stream: StreamId) -> EventError {
    EventError::Damaged {
        event_type: format!("stream {stream}: its beginning is not in the log"),
    }
}

/// The newest entries of a stream after a position, of some event types, newest first.
pub(crate) async fn newest(
    pool: &PgPool,
    kind: Kind,
    event_types: &[&str],
    stream: StreamId,
    after: Position,
    limit: u32,
) -> Result<Vec<Entry>, ReadError> {
    let event_types: Vec<String> = event_types.iter().map(ToString::to_string).collect();
    let rows = sqlx::query_as!(
        Row,
        "select position, kind, stream_id, version, event_id, flow_id, event_type, recorded_at, payload, metadata
         from log.entry where position > $1 and kind = $2 and stream_id = $3 and event_type = any($4)
         order by version desc limit $5",
        after.to_sql(),
        kind.as_str(),
        stream.0,
        &event_types,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    entries(rows)
}

/// The flows of a kind's entries between two positions, each with its stream, newest first.
pub(crate) async fn flows(
    pool: &PgPool,
    kind: Kind,
    after: Position,
    upto: Position,
) -> Result<Vec<(FlowId, StreamId)>, ReadError> {
    let rows = sqlx::query!(
        r#"select flow_id as "flow_id!", stream_id as "stream_id!" from log.entry
        where position > $1 and position <= $2 and kind = $3 and flow_id is not null
        group by flow_id, stream_id order by max(position) desc"#,
        after.to_sql(),
        upto.to_sql(),
        kind.as_str()
    )
    .fetch_all(pool)
    .await?;
    let flows = rows
        .into_iter()
        .map(|row| (FlowId(row.flow_id), StreamId(row.stream_id)));
    Ok(flows.collect())
}

/// All entries of a flow.
pub(crate) async fn flow(pool: &PgPool, flow: FlowId) -> Result<Vec<Entry>, ReadError> {
    let rows = sqlx::query_as!(
        Row,
        "select position, kind, stream_id, version, event_id, flow_id, event_type, recorded_at, payload, metadata
         from log.entry where position > $1 and flow_id = $2 order by position",
        flow.minted_after().to_sql(),
        flow.0
    )
    .fetch_all(pool)
    .await?;
    entries(rows)
}

/// The entry at a position.
pub(crate) async fn entry(pool: &PgPool, position: Position) -> Result<Option<Entry>, ReadError> {
    let row = sqlx::query_as!(
        Row,
        "select position, kind, stream_id, version, event_id, flow_id, event_type, recorded_at, payload, metadata
         from log.entry where position = $1",
        position.to_sql()
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(Entry::try_from).transpose()?)
}

/// When the entry at a position was recorded.
pub(crate) async fn recorded_at(
    pool: &PgPool,
    position: Position,
) -> Result<Option<OffsetDateTime>, ReadError> {
    let moment = sqlx::query_scalar!(
        "select recorded_at from log.entry where position = $1",
        position.to_sql()
    )
    .fetch_optional(pool)
    .await?;
    Ok(moment)
}

/// Entries of some kinds after a position, in order. One page looks at no more than [`SPARSE`] times `limit` positions:
/// of a rare kind, a million entries might stand between two, and the read would never come to its end in time.
pub(crate) async fn page(
    pool: &PgPool,
    after: Position,
    upto: Position,
    kinds: &[Kind],
    limit: u32,
) -> Result<Page, ReadError> {
    let upto = upto.min(Position(after.0.saturating_add(SPARSE * u64::from(limit))));
    let names = names(kinds);
    let rows = sqlx::query_as!(
        Row,
        "select position, kind, stream_id, version, event_id, flow_id, event_type, recorded_at, payload, metadata
         from log.entry where position > $1 and position <= $2 and kind = any($3) order by position limit $4",
        after.to_sql(),
        upto.to_sql(),
        &names,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?;
    let entries = entries(rows)?;
    let full = entries.len() == limit as usize;
    let last = entries.last().map(|entry| entry.recorded.position);
    Ok(Page {
        entries,
        upto: last.filter(|_| full).unwrap_or(upto),
    })
}

fn names(kinds: &[Kind]) -> Vec<String> {
    kinds.iter().map(ToString::to_string).collect()
}

fn entries(rows: Vec<Row>) -> Result<Vec<Entry>, ReadError> {
    Ok(rows.into_iter().map(Entry::try_from).collect::<Result<_, _>>()?)
}

/// A read that waits no longer than anybody waits for it.
pub(crate) async fn in_time<T>(read: impl Future<Output = Result<T, ReadError>>) -> Result<T, ReadError> {
    timeout(READ, read)
        .await
        .unwrap_or(Err(ReadError::Unavailable(sqlx::Error::PoolTimedOut)))
}

/// A read in time that is done again on another connection where its own has ended, before it or meanwhile.
pub(crate) async fn until_answered<T, R: Future<Output = Result<T, ReadError>>>(
    read: impl Fn() -> R,
) -> Result<T, ReadError> {
    in_time(again(read)).await
}

async fn again<T, R: Future<Output = Result<T, ReadError>>>(read: impl Fn() -> R) -> Result<T, ReadError> {
    for _ in 0..READERS {
        match read().await {
            Err(ReadError::Unavailable(error)) if has_ended(&error) => {}
            answer => return answer,
        }
    }
    read().await
}

/// Whether an error speaks of the connection: the server has ended it (class 57P), or nothing comes through. A certificate that does
/// not hold is an error of input and output too, and another connection would meet the same one.
fn has_ended(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::InvalidData,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
