//! What this machine can do at best, measured in the same run.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::figures::{Latencies, grouped, ms, rate};

/// How long the disk is asked.
const ASKED: Duration = Duration::from_secs(3);
/// How long it hashes.
const HASHED: Duration = Duration::from_secs(10);

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

/// Hashes a second with the parameters of credentials, on all cores, with nothing else to do and the memory kept from one to
/// the next.
pub fn hashes() -> Result<f64> {
    let done = AtomicUsize::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        let cores = thread::available_parallelism()?.get();
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(|| hash(begun, &done))).collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow!("a thread died"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(rate(done.load(Ordering::Relaxed), begun.elapsed()))
}

fn hash(begun: Instant, done: &AtomicUsize) -> Result<()> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; 32];
    while begun.elapsed() < HASHED {
        argon2
            .hash_password_into_with_memory(b"a password", b"salt of 16 bytes", &mut output, &mut memory)
            .map_err(|error| anyhow!("{error}"))?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
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
