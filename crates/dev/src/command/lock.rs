//! One `up` or `reset` at a time: who is at work here, and with what.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use anyhow::{Result, bail};
use rustix::fs::FlockOperation;
use sekisho_dev::paths;
use sekisho_dev::process::Identity;
use serde::{Deserialize, Serialize};

use super::state::write_at_once;

/// What a process does while it holds the [`Lock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doing {
    /// `up` builds, or starts the parts.
    Starting,
    /// `up` has started everything.
    Running,
    /// `up` ends the parts.
    Stopping,
    /// `reset` removes the data.
    Resetting,
}

/// Who holds the lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Holder {
    /// The `cargo dev up` or `cargo dev reset`.
    pub process: Identity,
    /// What it does just now.
    pub doing: Doing,
}

impl Holder {
    /// The one that is at work now, if there is one.
    ///
    /// # Errors
    /// When the folder of all data cannot be made.
    pub fn now() -> Result<Option<Self>> {
        let text = fs::read_to_string(holder_file()?).unwrap_or_default();
        let holder: Option<Self> = serde_json::from_str(&text).ok();
        Ok(holder.filter(|holder| holder.process.is_alive()))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.doing {
            Doing::Starting => "`cargo dev up` is starting",
            Doing::Running => "`cargo dev up` already runs",
            Doing::Stopping => "`cargo dev up` is stopping",
            Doing::Resetting => "`cargo dev reset` is at work",
        };
        write!(formatter, "{what} here (process {})", self.process.pid)
    }
}

/// While it lives, this process is the only `up` or `reset` of this checkout.
#[derive(Debug)]
pub struct Lock {
    file: File,
    process: Identity,
}

impl Lock {
    /// Takes it.
    ///
    /// # Errors
    /// When another process holds it: a sentence that says which, and what that does.
    pub fn take(doing: Doing) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(file()?)?;
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            // It has the lock a moment before it says so.
            let who = Holder::now()?.map_or_else(
                || "`cargo dev up` or `cargo dev reset` is at work here".to_owned(),
                |holder| holder.to_string(),
            );
            bail!("{who}; Ctrl-C in its terminal stops it, and `cargo dev status` shows it");
        }
        let process = Identity::own()?;
        let lock = Self { file, process };
        lock.say(doing)?;
        Ok(lock)
    }

    /// Says what the holder does from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn say(&self, doing: Doing) -> Result<()> {
        let process = self.process.clone();
        let text = serde_json::to_string(&Holder { process, doing })?;
        write_at_once(&holder_file()?, &text)
    }

    /// The lock for the work that comes now: the same one, or, if its file was removed, a new one.
    ///
    /// # Errors
    /// When another process has taken the new one meanwhile.
    pub fn renewed(self, doing: Doing) -> Result<Self> {
        if !self.is_whole() {
            return Self::take(doing);
        }
        self.say(doing)?;
        Ok(self)
    }

    /// Whether the locked file still is where others look for it. If not, somebody has removed the folder, and
    /// another process may hold the lock as well.
    pub fn is_whole(&self) -> bool {
        let number = |found: fs::Metadata| (found.dev(), found.ino());
        let ours = self.file.metadata().map(number).ok();
        let there = file().ok().and_then(|path| fs::metadata(path).map(number).ok());
        ours.is_some() && ours == there
    }
}

fn file() -> Result<PathBuf> {
    Ok(paths::kept()?.join("up.lock"))
}

/// Apart from the locked file, so that it can be replaced at once and is never seen half-written.
fn holder_file() -> Result<PathBuf> {
    Ok(paths::kept()?.join("up.holder"))
}
