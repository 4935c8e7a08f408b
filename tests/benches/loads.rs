//! Loads by stream and by flow while the log grows from one segment to many. Segments are small here: what counts is how
//! many a read looks at.

use std::time::Instant;

use anyhow::Result;
use sekisho_dev::Database;
use sekisho_eventlog::{FlowId, Fold, Log, LogSettings, Position, Recorded};
use sekisho_proto::events::CodeEvent;

use crate::figures::{Latencies, grouped, head, ms, rate, row};
use crate::fill::{self, STREAM};

/// Positions in one segment.
const SEGMENT: u64 = 4096;
/// Entries of one stream and of one flow, one after the other.
const ENTRIES: u64 = 8;
/// Loads that are timed, one after the other.
const LOADS: u64 = 2_000;

/// Counts.
#[derive(Debug, Clone, Default)]
struct Count(u64);

impl Fold for Count {
    type Event = CodeEvent;
    const VERSION: u32 = 1;

    fn evolve(self, _: &CodeEvent, _: &Recorded) -> Self {
        Self(self.0 + 1)
    }

    fn resume(_: &[u8]) -> Option<Self> {
        None
    }
}

/// Measures at 1, a quarter and all of the segments.
pub async fn run(database: &Database, segments: u64) -> Result<()> {
    make_segments_small(database)?;
    head(&["segments", "load of", "loads/s", "p50", "p99"]);
    let mut filled = 0;
    for count in [1, segments / 4, segments] {
        fill_segments(database, filled, count)?;
        filled = count;
        let log = Log::connect(LogSettings {
            database_url: database.url("otp"),
            nats: None,
            service: "bench/0".to_owned(),
            wake_on: Vec::new(),
            test_clock: false,
        })
        .await?;
        let all = count * SEGMENT / ENTRIES;
        let newest = all.saturating_sub(SEGMENT / ENTRIES);
        for (what, first, among) in [
            ("new streams", newest, all - newest),
            ("streams of any age", 0, all),
        ] {
            let mut times = Vec::new();
            for turn in 0..LOADS {
                let begun = Instant::now();
                let loaded = log.load::<Count>(fill::stream(pick(turn, first, among))).await?;
                times.push(begun.elapsed());
                anyhow::ensure!(
                    loaded.state.0 == ENTRIES,
                    "a stream has {} entries",
                    loaded.state.0
                );
            }
            print(count, what, times);
        }
        let mut times = Vec::new();
        for turn in 0..LOADS {
            let number = pick(turn, newest, all - newest);
            let begun = Instant::now();
            let entries = log.flow(flow(number)).await?;
            times.push(begun.elapsed());
            anyhow::ensure!(
                entries.len() as u64 == ENTRIES,
                "a flow has {} entries",
                entries.len()
            );
        }
        print(count, "new flows", times);
    }
    Ok(())
}

fn pick(turn: u64, first: u64, among: u64) -> u64 {
    first + turn.wrapping_mul(2_654_435_761) % among
}

fn print(segments: u64, what: &str, times: Vec<std::time::Duration>) {
    let total = times.iter().sum();
    let loads = Latencies::new(times);
    row(&[
        segments.to_string(),
        what.to_owned(),
        grouped(rate(loads.count(), total)),
        ms(loads.p50()),
        ms(loads.p99()),
    ]);
}

/// The flow of a stream's number: minted right before its first entry.
fn flow(number: u64) -> FlowId {
    let minted_after = Position(number * ENTRIES);
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&minted_after.0.to_be_bytes()[2..]);
    FlowId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn make_segments_small(database: &Database) -> Result<()> {
    database.sql(&format!(
        "create or replace function log.segment_size() returns bigint language sql immutable as 'select {SEGMENT}::bigint';
         drop table log.entry_000000, log.entry_000001, log.entry_000002;
         delete from log.segment;
         select log.make_segments();"
    ))?;
    Ok(())
}

/// Fills the segments from one number to another.
fn fill_segments(database: &Database, from: u64, to: u64) -> Result<()> {
    for segment in from..to {
        let (first, last) = (segment * SEGMENT + 1, (segment + 1) * SEGMENT);
        // As `flow` above: the position before the first entry of eight, then version and variant.
        let flow = format!("(lpad(to_hex(number * {ENTRIES}), 12, '0') || '80008' || repeat('0', 15))::uuid");
        database.sql(&format!(
            "update log.segment set opened = true where first_position = {first};
             select log.make_segments();
             insert into log.entry
             select position, 'code', {STREAM}, (position - 1) % {ENTRIES} + 1, gen_random_uuid(), {flow},
                 'code_issued', clock_timestamp(), '\\x0a0208011a00', '\\x0a036f7470'
             from (select position, (position - 1) / {ENTRIES} as number
                   from generate_series({first}::bigint, {last}) as position) as entries;
             insert into log.stream
             select 'code', {STREAM}, {ENTRIES}, number * {ENTRIES} + 1, (number + 1) * {ENTRIES}
             from generate_series(({first}::bigint - 1) / {ENTRIES}, {last} / {ENTRIES} - 1) as number;"
        ))?;
    }
    database.sql("vacuum analyze log.entry; vacuum analyze log.stream;")?;
    Ok(())
}
