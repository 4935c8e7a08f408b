//! Which process is meant: a number alone may belong to another process by now.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::wait;

/// A process by its number and the time at which it started, so that a number used again is not mistaken for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The process number.
    pub pid: u32,
    /// When it started, in the words of the system: clock ticks since boot, or `ps`'s date where there is no /proc.
    pub started: String,
}

impl Identity {
    /// The identity of a process that runs now.
    pub fn of(pid: u32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    /// This process.
    ///
    /// # Errors
    /// When the system does not say when this process started.
    pub fn own() -> Result<Self> {
        Self::of(std::process::id()).context("cannot tell when this process started")
    }

    /// Whether exactly this process still runs; one that has ended and waits to be collected does not.
    pub fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Sends a signal, if exactly this process still runs.
    pub fn signal(&self, signal: Signal) {
        if self.is_alive() {
            send(self.pid, signal);
        }
    }

    /// Waits until this process has ended.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub fn wait_gone(&self, limit: Duration) -> Result<()> {
        let what = format!("process {} to end", self.pid);
        wait::poll(&what, limit, || Ok((!self.is_alive()).then_some(())))
    }
}

/// Sends a signal to a process number; one that is gone is no mistake.
pub(crate) fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // The process may have ended in between, which is what a signal is for.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// All processes below `pid`, nearest first. Empty where there is no /proc.
pub fn descendants(pid: u32) -> Vec<Identity> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(parent) = stat(child).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(children.get(&parent).into_iter().flatten());
        next += 1;
    }
    found.into_iter().skip(1).filter_map(Identity::of).collect()
}

/// The fields of /proc/PID/stat after the program's name, which may hold spaces: state, parent, …
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let fields = stat(pid)?;
    let ended = matches!(fields.first()?.as_str(), "Z" | "X");
    // Field 22 of proc_pid_stat(5), the 20th after the name.
    if ended { None } else { fields.get(19).cloned() }
}

#[cfg(not(target_os = "linux"))]
fn started(pid: u32) -> Option<String> {
    let output = std::process::Command::new("ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_used_again_is_another_process() {
        let own = Identity::own().unwrap();
        assert!(own.is_alive());
        let earlier = Identity {
            pid: own.pid,
            started: "1".to_owned(),
        };
        assert!(!earlier.is_alive());
    }
}
