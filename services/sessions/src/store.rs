//! Snapshots in the schema `sessions`.

use std::time::Duration;

use sekisho_eventlog::{EventId, Position};
use sqlx::PgPool;
use tokio::time::timeout;

use crate::keys::Tag;
use crate::snapshot::Manifest;

/// How long one statement may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Snapshots that are looked at, at most.
const AT_MOST: i64 = 10;

/// A snapshot as it is stored. Whoever may write the tables may have written anything.
#[derive(Debug)]
pub(crate) struct Stored {
    pub id: i64,
    pub manifest: Manifest,
    pub tag: Tag,
}

/// A row of `sessions.snapshot`.
struct Row {
    snapshot_id: i64,
    position: i64,
    event_id: uuid::Uuid,
    epoch: i64,
    version: i64,
    digest: Vec<u8>,
    piece_hashes: Vec<u8>,
    key_id: String,
    tag: Vec<u8>,
}

impl From<Row> for Stored {
    fn from(row: Row) -> Self {
        Self {
            id: row.snapshot_id,
            manifest: Manifest {
                position: position(row.position),
                event_id: EventId(row.event_id),
                epoch: position(row.epoch),
                version: u64::try_from(row.version).unwrap_or_default(),
                digest: row.digest,
                piece_hashes: row.piece_hashes,
            },
            tag: Tag {
                key_id: row.key_id,
                bytes: row.tag,
            },
        }
    }
}

/// The newest snapshots, those of a version first, then others; of each the newest one first.
pub(crate) async fn newest(pool: &PgPool, version: u64) -> Result<Vec<Stored>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select snapshot_id, position, event_id, epoch, version, digest, piece_hashes, key_id, tag
         from sessions.snapshot order by version = $1 desc, position desc, snapshot_id desc limit $2",
        versioned(version),
        AT_MOST
    )
    .fetch_all(pool);
    let rows = in_time(rows).await?;
    Ok(rows.into_iter().map(Stored::from).collect())
}

/// One piece of a snapshot.
pub(crate) async fn piece(pool: &PgPool, id: i64, number: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let piece = sqlx::query_scalar!(
        "select bytes from sessions.snapshot_piece where snapshot_id = $1 and number = $2",
        id,
        numbered(number)
    )
    .fetch_optional(pool);
    in_time(piece).await
}

/// Whether the log holds the entry at which a snapshot was taken, and no epoch before it that the snapshot does not know.
pub(crate) async fn stands(pool: &PgPool, manifest: &Manifest) -> Result<bool, sqlx::Error> {
    let stands = sqlx::query_scalar!(
        r#"select exists (select from log.entry where position = $1 and event_id = $2)
            and $3 = coalesce((select max(position) from log.epoch where position <= $1), 0) as "stands!""#,
        number(manifest.position),
        manifest.event_id.0,
        number(manifest.epoch)
    )
    .fetch_one(pool);
    in_time(stands).await
}

/// Stores a snapshot, and forgets the others of its version but the one before it, and those of other versions that are
/// older than a day. Answers by which number it is stored.
pub(crate) async fn keep(
    pool: &PgPool,
    manifest: &Manifest,
    tag: &Tag,
    pieces: &[Vec<u8>],
    before: Option<i64>,
) -> Result<i64, sqlx::Error> {
    let mut transaction = in_time(pool.begin()).await?;
    let id = sqlx::query_scalar!(
        "insert into sessions.snapshot
            (position, event_id, epoch, version, digest, piece_hashes, key_id, tag)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning snapshot_id",
        number(manifest.position),
        manifest.event_id.0,
        number(manifest.epoch),
        versioned(manifest.version),
        manifest.digest,
        manifest.piece_hashes,
        tag.key_id,
        tag.bytes
    )
    .fetch_one(&mut *transaction);
    let id = in_time(id).await?;
    for (nth, piece) in pieces.iter().enumerate() {
        let stored = sqlx::query!(
            "insert into sessions.snapshot_piece (snapshot_id, number, bytes) values ($1, $2, $3)",
            id,
            numbered(nth),
            piece
        )
        .execute(&mut *transaction);
        in_time(stored).await?;
    }
    let forgotten = sqlx::query!(
        "delete from sessions.snapshot
         where version = $1 and snapshot_id not in ($2, $3)
             or version <> $1 and taken_at < log.now() - interval '1 day'",
        versioned(manifest.version),
        id,
        before.unwrap_or(id)
    )
    .execute(&mut *transaction);
    in_time(forgotten).await?;
    in_time(transaction.commit()).await?;
    Ok(id)
}

async fn in_time<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(PATIENCE, statement)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn position(number: i64) -> Position {
    Position(u64::try_from(number).unwrap_or_default())
}

fn number(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

fn versioned(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

fn numbered(nth: usize) -> i64 {
    i64::try_from(nth).unwrap_or(i64::MAX)
}
