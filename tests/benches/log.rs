//! `cargo dev bench log`

use anyhow::Result;
use clap::Args;
use sekisho_dev::{Postgres, Schema};

use crate::append::Load;
use crate::figures::{Latencies, grouped, head, ms, rate, row};
use crate::{fill, loads, machine, snapshot};

/// Measurements that append, each with streams of its own.
const SLICES: u64 = 8;

/// How much is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// Seconds of each measurement
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Streams that the log holds
    #[arg(long, default_value_t = 1_000_000)]
    streams: u64,
    /// Minutes that a snapshot of another client stays open
    #[arg(long, default_value_t = 10)]
    snapshot: u64,
    /// Segments over which loads are measured at last
    #[arg(long, default_value_t = 400)]
    segments: u64,
}

/// Measures and prints.
pub async fn run(options: &Options) -> Result<()> {
    let server = Postgres::start_with(Schema::Files)?;
    machine::print(server.directory())?;
    let database = server.database()?;
    println!("Filling a log with {} streams …", options.streams);
    fill::streams(&database, options.streams)?;

    println!("\n### Appends\n");
    head(&[
        "processes",
        "callers",
        "entries/s",
        "times one caller",
        "p50",
        "p99",
    ]);
    let mut alone = None;
    let loads_of_callers = [(1, 1), (1, 8), (1, 64), (1, 512), (4, 8), (4, 64), (4, 512)];
    for (slice, (processes, callers)) in (0..).zip(loads_of_callers) {
        let load = Load {
            processes,
            callers,
            seconds: options.seconds,
            slice,
            of: SLICES,
        };
        let appended = load.measure(&database, options.streams).await?;
        let rate = per_second(&appended, options.seconds);
        let alone = *alone.get_or_insert(rate);
        row(&[
            processes.to_string(),
            callers.to_string(),
            grouped(rate),
            format!("{:.1}", rate / alone),
            ms(appended.p50()),
            ms(appended.p99()),
        ]);
    }

    println!("\n### 64 callers beside an open snapshot\n");
    let beside = Load {
        processes: 1,
        callers: 64,
        seconds: options.seconds,
        slice: SLICES - 1,
        of: SLICES,
    };
    snapshot::run(&database, beside, options.streams, options.snapshot).await?;

    println!("\n### Loads over many segments\n");
    loads::run(&server.database()?, options.segments).await
}

/// A rate of appends.
pub fn per_second(appended: &Latencies, seconds: u64) -> f64 {
    rate(appended.count(), std::time::Duration::from_secs(seconds))
}
