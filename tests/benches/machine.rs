//! What this machine can do at best, measured in the same run.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::figures::{Latencies, grouped, ms, rate};

/// How long the disk is asked.
const ASKED: Duration = Duration::from_secs(3);

/// Prints processor, cores and how fast the disk below a folder makes 8 kB durable.
pub fn print(folder: &Path) -> Result<()> {
    let cores = thread::available_parallelism()?;
    println!("Machine: {cores} cores, {}", processor());
    let synced = syncs(folder)?;
    println!(
        "Disk: {} times a second 8 kB written and synced (p50 {}, p99 {})",
        grouped(rate(synced.count(), ASKED)),
        ms(synced.p50()),
        ms(synced.p99()),
    );
    Ok(())
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = known.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map(|model| model.trim_start_matches(['\t', ':', ' ']).to_owned());
    model.unwrap_or_else(|| "an unknown processor".to_owned())
}

fn syncs(folder: &Path) -> Result<Latencies> {
    let path = folder.join("synced");
    let mut file = File::create(&path)?;
    let page = [7; 8192];
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < ASKED {
        let asked = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page)?;
        file.sync_data()?;
        times.push(asked.elapsed());
    }
    fs::remove_file(&path)?;
    Ok(Latencies::new(times))
}

/// The memory of this process that is in use, in bytes.
pub fn memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or_default();
    Ok(kilobytes * 1024)
}
