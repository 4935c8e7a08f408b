//! Time of processors that processes have used.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use sekisho_dev::Stack;

/// Ticks a second of the kernel's accounts (`man 7 time`, USER_HZ).
const TICKS: u64 = 100;
/// In `/proc/PID/stat`, counted from what follows the name: parent, and ticks in user and kernel mode.
const PARENT: usize = 1;
const USER: usize = 11;
const SYSTEM: usize = 12;

/// What each part of a stack has used so far, by name; PostgreSQL with all its processes.
pub fn used(stack: &mut Stack) -> Result<BTreeMap<String, Duration>> {
    let all = processes()?;
    let mut used = BTreeMap::new();
    for listed in stack.listing() {
        let Some(identity) = &listed.process else { continue };
        let pid = identity.pid;
        let own = all.iter().filter(|one| one.pid == pid || one.parent == pid);
        let ticks: u64 = own.map(|one| one.ticks).sum();
        // Replicas of one service together.
        let name = listed.name.split(' ').next().unwrap_or_default().to_owned();
        *used.entry(name).or_default() += time(ticks);
    }
    let own = all.iter().find(|one| one.pid == std::process::id());
    used.insert(
        "load".to_owned(),
        time(own.context("no account of this process")?.ticks),
    );
    Ok(used)
}

struct Account {
    pid: u32,
    parent: u32,
    ticks: u64,
}

fn processes() -> Result<Vec<Account>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that has ended meanwhile has no file any more.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        all.extend(account(pid, &stat));
    }
    Ok(all)
}

/// The name may hold spaces and brackets; the fields stand behind the last of them.
fn account(pid: u32, stat: &str) -> Option<Account> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Account {
        pid,
        parent: u32::try_from(number(PARENT)?).ok()?,
        ticks: number(USER)? + number(SYSTEM)?,
    })
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1_000 / TICKS)
}
