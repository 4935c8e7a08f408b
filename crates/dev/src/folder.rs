//! The folders of one run: its logs and keys, its servers' data, and the list of its processes.
//!
//! A run that ends removes its folders. One that is killed is cleaned up twice: at once by a small shell process
//! (`reaper.sh`) that waits for the end of our end of a pipe, and, should that be gone as well, by the next run.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::paths;
use crate::process::Identity;
use crate::process::user;

const REAPER: &str = include_str!("reaper.sh");
static SWEPT: Once = Once::new();
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The folders of one run.
#[derive(Debug)]
pub struct Folder {
    /// Ours: logs, keys, lists.
    pub own: PathBuf,
    /// The servers' data; another folder than `own` only when the servers run as another user.
    pub servers: PathBuf,
    reaper: Option<Child>,
    keep: bool,
}

impl Folder {
    /// New folders that go away with this value, or with this process.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn temporary(name: &str) -> Result<Self> {
        SWEPT.call_once(|| {
            let _ = sweep();
        });
        let own_process = Identity::own()?;
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let run = format!(
            "{}-{}-{count}-{name}",
            own_process.pid,
            own_process.started.replace(' ', "_")
        );
        let mut folder = Self::make(&runs()?, &server_runs()?, &run)?;
        folder.reaper = Some(reap(&folder.own, &folder.servers)?);
        Ok(folder)
    }

    /// Folders that stay: those of `cargo dev up`.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn kept(name: &str) -> Result<Self> {
        let mut folder = Self::make(&paths::kept()?, &paths::servers()?, name)?;
        folder.keep = true;
        Ok(folder)
    }

    fn make(own: &Path, servers: &Path, name: &str) -> Result<Self> {
        let folder = Self {
            own: own.join(name),
            servers: servers.join(name),
            reaper: None,
            keep: false,
        };
        paths::make_private(&folder.own)?;
        match user::for_servers()? {
            Some(owner) => paths::make_owned(&folder.servers, &owner)?,
            None => paths::make_private(&folder.servers)?,
        }
        Ok(folder)
    }

    /// The list of the processes of this run.
    pub fn ledger(&self) -> PathBuf {
        self.own.join("processes")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // The next run sweeps what is left.
        let _ = fs::remove_dir_all(&self.servers);
        let _ = fs::remove_dir_all(&self.own);
        if let Some(reaper) = &mut self.reaper {
            drop(reaper.stdin.take());
            let _ = reaper.wait();
        }
    }
}

/// Writes a process into a run's list.
pub(crate) fn note_process(ledger: &Path, process: &Identity, name: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).append(true).mode(0o600).open(ledger)?;
    writeln!(file, "{}\t{}\t{name}", process.pid, process.started)
        .with_context(|| format!("cannot write {}", ledger.display()))
}

/// Ends every process in a run's list that still runs, and says their names.
///
/// # Errors
/// When one of them does not end.
pub fn end_listed(ledger: &Path) -> Result<Vec<String>> {
    let Ok(text) = fs::read_to_string(ledger) else {
        return Ok(Vec::new());
    };
    let mut ended = Vec::new();
    for (process, name) in text.lines().filter_map(listed) {
        if process.is_alive() {
            let below = crate::process::descendants(process.pid);
            process.signal(Signal::KILL);
            process.wait_gone(Duration::from_secs(10))?;
            for child in below {
                child.signal(Signal::KILL);
                child.wait_gone(Duration::from_secs(10))?;
            }
            ended.push(name);
        }
    }
    fs::remove_file(ledger)?;
    Ok(ended)
}

fn listed(line: &str) -> Option<(Identity, String)> {
    let mut fields = line.split('\t');
    let pid = fields.next()?.parse().ok()?;
    let started = fields.next()?.to_owned();
    Some((Identity { pid, started }, fields.next()?.to_owned()))
}

fn runs() -> Result<PathBuf> {
    let folder = paths::kept()?.join("runs");
    paths::make_private(&folder)?;
    Ok(folder)
}

fn server_runs() -> Result<PathBuf> {
    let folder = paths::servers()?.join("runs");
    match user::for_servers()? {
        Some(owner) => paths::make_owned(&folder, &owner)?,
        None => paths::make_private(&folder)?,
    }
    Ok(folder)
}

/// Removes the folders of runs whose process is gone, after ending what they left running. What cannot be removed
/// is tried again by the next run.
fn sweep() -> Result<()> {
    for folder in [runs()?, server_runs()?] {
        for run in fs::read_dir(&folder)?.flatten() {
            if owner(&run.file_name().to_string_lossy()).is_some_and(|owner| !owner.is_alive()) {
                let ended = end_listed(&run.path().join("processes"));
                drop(ended.map(|_| fs::remove_dir_all(run.path())));
            }
        }
    }
    Ok(())
}

fn owner(run: &str) -> Option<Identity> {
    let mut parts = run.splitn(3, '-');
    let pid = parts.next()?.parse().ok()?;
    let started = parts.next()?.replace('_', " ");
    Some(Identity { pid, started })
}

/// A shell that removes the folders when we are gone, whatever ended us.
fn reap(own: &Path, servers: &Path) -> Result<Child> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", REAPER, "sekisho-dev-reaper"])
        .arg(own)
        .arg(servers);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command.current_dir("/").spawn().context("cannot start /bin/sh")
}
