//! Entries as they stand in the log, also those of newer versions.

use prost::Message;
use sekisho_eventlog::FlowId;
use sekisho_proto::log::v1::{Metadata, Payload};
use sqlx::postgres::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// In the log.
    pub position: i64,
    /// The kind of the stream.
    pub kind: String,
    /// The account, for the kinds account, code and session.
    pub stream: Uuid,
    /// In the stream.
    pub version: i64,
    /// The flow that it belongs to.
    pub flow: Option<Uuid>,
    /// The event's name.
    pub event_type: String,
    /// By the log's clock.
    pub recorded_at: OffsetDateTime,
    /// The event's bytes; `None` if the payload is damaged.
    pub event: Option<Vec<u8>>,
    /// Who acted, and the trace; empty if damaged.
    pub metadata: Metadata,
}

struct Row {
    position: i64,
    kind: String,
    stream_id: Uuid,
    version: i64,
    flow_id: Option<Uuid>,
    event_type: String,
    recorded_at: OffsetDateTime,
    payload: Vec<u8>,
    metadata: Vec<u8>,
}

/// All entries of a flow, in order.
pub async fn of_flow(connection: &mut PgConnection, flow: FlowId) -> sqlx::Result<Vec<Line>> {
    // No entry of a flow stands before the position that its id carries.
    let after = i64::try_from(flow.minted_after().0).unwrap_or(i64::MAX);
    let rows = sqlx::query_as!(
        Row,
        "select position, kind, stream_id, version, flow_id, event_type, recorded_at, payload, metadata
         from log.entry where position > $1 and flow_id = $2 order by position",
        after,
        flow.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Line::from).collect())
}

/// All entries of an account, in order. Touches every segment: history is what is asked for.
pub async fn of_account(connection: &mut PgConnection, account: Uuid) -> sqlx::Result<Vec<Line>> {
    let rows = sqlx::query_as!(
        Row,
        "select position, kind, stream_id, version, flow_id, event_type, recorded_at, payload, metadata
         from log.entry where kind in ('account', 'code', 'session') and stream_id = $1 order by position",
        account
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Line::from).collect())
}

/// Entries of kind `code` after a position, in order, so many at most.
pub async fn of_codes(connection: &mut PgConnection, after: i64, limit: i64) -> sqlx::Result<Vec<Line>> {
    let rows = sqlx::query_as!(
        Row,
        "select position, kind, stream_id, version, flow_id, event_type, recorded_at, payload, metadata
         from log.entry where position > $1 and kind = 'code' order by position limit $2",
        after,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Line::from).collect())
}

/// The newest position.
pub async fn head(connection: &mut PgConnection) -> sqlx::Result<i64> {
    let head = sqlx::query_scalar!("select max(position) from log.entry")
        .fetch_one(connection)
        .await?;
    Ok(head.unwrap_or_default())
}

/// A position before which everything was recorded before a moment. Positions and moments grow together.
pub async fn before(connection: &mut PgConnection, moment: OffsetDateTime) -> sqlx::Result<i64> {
    let (mut low, mut high) = (0, head(connection).await?);
    while low < high {
        let middle = low + (high - low) / 2;
        let at = sqlx::query_scalar!(
            "select recorded_at from log.entry where position > $1 order by position limit 1",
            middle
        )
        .fetch_optional(&mut *connection)
        .await?;
        if at.is_some_and(|at| at < moment) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The log's time.
pub async fn now(connection: &mut PgConnection) -> sqlx::Result<OffsetDateTime> {
    sqlx::query_scalar!(r#"select log.now() as "now!""#)
        .fetch_one(connection)
        .await
}

impl From<Row> for Line {
    fn from(row: Row) -> Self {
        let payload = Payload::decode(row.payload.as_slice());
        Self {
            position: row.position,
            kind: row.kind,
            stream: row.stream_id,
            version: row.version,
            flow: row.flow_id,
            event_type: row.event_type,
            recorded_at: row.recorded_at,
            event: payload.ok().map(|payload| payload.event),
            metadata: Metadata::decode(row.metadata.as_slice()).unwrap_or_default(),
        }
    }
}
