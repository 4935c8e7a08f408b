//! `cargo dev bench rebuild`

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use prost::Message as _;
use sekisho_dev::{Database, Postgres, Schema};
use sekisho_eventlog::{Log, LogSettings};
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_proto::sessions::v1::SessionStarted;
use sekisho_sessions::app::Sessions;
use sekisho_sessions::domain::Limits;
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{PgPool, Row as _};
use tokio_stream::StreamExt as _;
use uuid::Uuid;

use sekisho_tests::hex;

use crate::figures::{grouped, head, rate, row};
use crate::worker::{self, Worker};
use crate::{fill, machine};

/// Lines of one piece of a copy.
const PIECE: u64 = 10_000;

/// How much is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// Live sessions, each of an account of its own
    #[arg(long, default_value_t = 1_000_000)]
    sessions: u64,
    /// How many replicas fold them, one after the other
    #[arg(long, default_value_t = 3)]
    rounds: u32,
}

/// Measures and prints.
pub async fn run(options: &Options) -> Result<()> {
    let server = Postgres::start_with(Schema::Files)?;
    machine::print(server.directory())?;
    let database = server.database()?;
    println!("Filling a log with {} sessions …", options.sessions);
    fill_with_sessions(&database, options.sessions).await?;
    let pool = PgPool::connect(&database.url("sessions")).await?;
    println!(
        "PostgreSQL hands out {} such rows a second to one reader that does nothing with them.",
        grouped(bare_reads(&pool).await?)
    );
    println!();
    head(&["round", "entries", "seconds", "entries/s", "bytes a session"]);
    for round in 1..=options.rounds {
        let mut worker = Worker::start(&["rebuild", &database.url("sessions")]).await?;
        worker.go().await?;
        let said = String::from_utf8(worker.end().await?)?;
        let mut numbers = said.split_whitespace().map(str::parse::<f64>);
        let mut next = || {
            numbers
                .next()
                .context("a figure is missing")?
                .context("not a figure")
        };
        let (seconds, bytes) = (next()?, next()?);
        let time = Duration::from_secs_f64(seconds);
        let count = usize::try_from(options.sessions)?;
        row(&[
            round.to_string(),
            options.sessions.to_string(),
            format!("{seconds:.2}"),
            grouped(rate(count, time)),
            grouped(bytes),
        ]);
    }
    Ok(())
}

/// One replica: folds everything on one core, then writes how many seconds that took and by how many bytes it grew for each
/// session.
pub async fn work(url: &str) -> Result<()> {
    let log = Log::connect(LogSettings {
        database_url: url.to_owned(),
        nats: None,
        service: "sessions/bench".to_owned(),
        wake_on: Vec::new(),
        test_clock: false,
    })
    .await?;
    worker::ready("ready").await?;
    let limits = Limits {
        idle: time::Duration::minutes(30),
        absolute: time::Duration::hours(12),
        stale: time::Duration::minutes(30),
    };
    let sessions = Sessions::new(log, limits, sekisho_tests::sessions_keys()?);
    let (before, begun) = (machine::memory()?, Instant::now());
    let (folded, at_head) = tokio::sync::oneshot::channel();
    let follower = sessions.clone();
    tokio::spawn(async move {
        follower
            .follow(|| {
                // The benchmark waits for it below.
                let _ = folded.send(());
            })
            .await
    });
    at_head.await?;
    let seconds = begun.elapsed().as_secs_f64();
    let grown = machine::memory()?.saturating_sub(before) / sessions.remembered().max(1) as u64;
    println!("{seconds} {grown}");
    std::process::exit(0);
}

/// Rows a second that a reader gets who asks for all columns at once.
async fn bare_reads(pool: &PgPool) -> Result<f64> {
    let begun = Instant::now();
    let mut rows = sqlx::query(
        "select position, kind, stream_id, version, event_id, flow_id, event_type, recorded_at, payload, metadata
         from log.entry where position > 0 order by position limit 500000",
    )
    .fetch(pool);
    let (mut count, mut bytes) = (0, 0);
    while let Some(row) = rows.next().await {
        bytes += row?.try_get_raw(8)?.as_bytes().map_or(0, <[u8]>::len);
        count += 1;
    }
    anyhow::ensure!(bytes > 0, "there is nothing in these rows");
    Ok(rate(count, begun.elapsed()))
}

async fn fill_with_sessions(database: &Database, count: u64) -> Result<()> {
    let pool = PgPool::connect(&database.url("postgres")).await?;
    let mut copy = pool
        .copy_in_raw("copy log.entry (position, kind, stream_id, version, event_id, flow_id, event_type, recorded_at, payload, metadata) from stdin")
        .await?;
    let metadata = hex(&Metadata {
        actor: "sessions".to_owned(),
        service: "sessions/0.1.0".to_owned(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        command_digest: Vec::new(),
    }
    .encode_to_vec());
    for first in (0..count).step_by(usize::try_from(PIECE)?) {
        let mut lines = String::new();
        for number in first..count.min(first + PIECE) {
            let (position, account) = (number + 1, fill::stream(number));
            let (event, flow) = (Uuid::from_u64_pair(1, number), Uuid::from_u64_pair(2, number));
            let payload = hex(&session_started(number).encode_to_vec());
            writeln!(
                lines,
                "{position}\tsession\t{account}\t1\t{event}\t{flow}\tsession_started\tnow\t\\\\x{payload}\t\\\\x{metadata}"
            )?;
        }
        copy.send(lines.into_bytes()).await?;
    }
    copy.finish().await?;
    database.sql(&format!(
        "insert into log.stream select 'session', {}, 1, number + 1, number + 1
         from generate_series(0::bigint, {count} - 1) as number;
         vacuum analyze log.entry; vacuum analyze log.stream; checkpoint;",
        fill::STREAM
    ))?;
    Ok(())
}

fn session_started(number: u64) -> Payload {
    let mut token = [0; 32];
    // Spread like a digest.
    for (index, chunk) in token.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let mixed = number
            .wrapping_add(index as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        *chunk = mixed
            .rotate_left(29)
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            .to_be_bytes();
    }
    let started = SessionStarted {
        session_id: Uuid::from_u64_pair(3, number).as_bytes().to_vec(),
        token_digest: token.to_vec(),
        minted: number.max(1),
        evidence: vec![number.max(1), number.max(1)],
        ended: Vec::new(),
        previous_started_at: None,
        device: Vec::new(),
        new_device: false,
    };
    Payload {
        event: started.encode_to_vec(),
        carried: None,
    }
}
