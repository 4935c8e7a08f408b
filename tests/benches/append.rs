//! Appends by many callers in several processes.

use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use sekisho_dev::Database;
use sekisho_eventlog::{Draft, EventId, Log, LogSettings, Outcome, Version, Via};
use sekisho_proto::Event;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_proto::otp::v1::CodeIssued;

use crate::figures::Latencies;
use crate::fill;
use crate::worker::{self, Worker};

/// What one process does.
#[derive(Debug, Args)]
pub struct Share {
    /// The connection string of otp
    url: String,
    /// Callers in this process
    callers: u64,
    /// The first stream of its own
    first: u64,
    /// From one stream of its own to the next
    step: u64,
    /// How many streams it has
    streams: u64,
    /// How long it appends
    seconds: u64,
}

/// All processes of one measurement.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many processes.
    pub processes: u64,
    /// Callers in all of them.
    pub callers: u64,
    /// How long.
    pub seconds: u64,
    /// Streams that no other measurement of this run uses: each `of`th, from this one on.
    pub slice: u64,
    /// How many slices there are.
    pub of: u64,
}

impl Load {
    /// How long each append took.
    pub async fn measure(&self, database: &Database, streams: u64) -> Result<Latencies> {
        let url = database.url("otp");
        let step = self.of * self.processes;
        let mut workers = Vec::new();
        for process in 0..self.processes {
            let numbers = [
                self.callers / self.processes,
                self.slice + process * self.of,
                step,
                streams / step,
                self.seconds,
            ]
            .map(|number| number.to_string());
            let [callers, first, step, streams, seconds] = numbers.each_ref().map(String::as_str);
            let arguments = ["append", &url, callers, first, step, streams, seconds];
            workers.push(Worker::start(&arguments).await?);
        }
        for worker in &mut workers {
            worker.go().await?;
        }
        let mut all = Vec::new();
        for worker in workers {
            let bytes = worker.end().await?;
            let (micros, _) = bytes.as_chunks::<4>();
            all.extend(
                micros
                    .iter()
                    .map(|micros| Duration::from_micros(u32::from_le_bytes(*micros).into())),
            );
        }
        Ok(Latencies::new(all))
    }
}

/// One process: appends, then writes how many microseconds each append took.
pub async fn work(share: Share) -> Result<()> {
    let log = Log::connect(LogSettings {
        database_url: share.url.clone(),
        nats: None,
        service: "bench/0".to_owned(),
        wake_on: Vec::new(),
        test_clock: false,
    })
    .await?;
    worker::ready("ready").await?;
    let end = Instant::now() + Duration::from_secs(share.seconds);
    let own = share.streams / share.callers;
    let callers = (0..share.callers).map(|caller| {
        let log = log.clone();
        let first = share.first + caller * own * share.step;
        tokio::spawn(call(log, first, share.step, own, end))
    });
    let mut bytes = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        for time in caller.await?? {
            let micros = u32::try_from(time.as_micros()).context("an append of an hour")?;
            bytes.extend(micros.to_le_bytes());
        }
    }
    Ok(std::io::stdout().write_all(&bytes)?)
}

/// One caller: an entry at a time, each to another one of its streams.
async fn call(log: Log, first: u64, step: u64, streams: u64, end: Instant) -> Result<Vec<Duration>> {
    let mut versions = HashMap::new();
    let mut times = Vec::new();
    let mut turn = 0_u64;
    while Instant::now() < end {
        turn += 1;
        let number = first + turn.wrapping_mul(2_654_435_761) % streams * step;
        let version: &mut u64 = versions.entry(number).or_insert(1);
        let draft = draft(&log, number, *version);
        let begun = Instant::now();
        match log.append(draft, &Via::Append).await? {
            Outcome::Recorded(_) => *version += 1,
            other => bail!("stream {number} at version {version}: {other:?}"),
        }
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// An entry as otp writes it when a code is asked for.
fn draft(log: &Log, stream: u64, version: u64) -> Draft {
    let event: CodeEvent = CodeIssued {
        issue: version,
        key_id: "2026-11".to_owned(),
        reference: "A1B2".to_owned(),
        evidence: log.head().0,
        ..CodeIssued::default()
    }
    .into();
    Draft {
        kind: CodeEvent::KIND,
        stream: fill::stream(stream),
        expected: Version(version),
        event_id: EventId::new(log.now()),
        flow: None,
        event_type: event.event_type(),
        payload: Payload {
            event: event.encode(),
            carried: None,
        },
        metadata: Metadata {
            actor: "otp".to_owned(),
            service: "otp/0.1.0".to_owned(),
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            command_digest: vec![7; 32],
        },
        not_after: None,
    }
}
