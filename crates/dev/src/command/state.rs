//! What a running `up` tells other commands: a file under target/dev/up.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sekisho_dev::process::Identity;
use sekisho_dev::stack::Listed;
use sekisho_dev::{folder, paths};
use serde::{Deserialize, Serialize};

use super::lock::Holder;

/// The name of `up`'s folders.
pub const NAME: &str = "up";

/// What runs, and under whom.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// The `cargo dev up` itself.
    pub up: Identity,
    /// Where a browser begins.
    pub portal: String,
    /// Where mails are.
    pub mailbox: String,
    /// Every process.
    pub processes: Vec<Listed>,
}

impl State {
    /// The state of the `up` that runs now.
    ///
    /// # Errors
    /// When none runs, or it has not started everything yet: in a sentence.
    pub fn of_running() -> Result<Self> {
        if let Some(state) = Self::read()? {
            return Ok(state);
        }
        match Holder::now()? {
            Some(holder) => bail!("{holder}"),
            None => bail!("nothing runs here; `cargo dev up` starts everything"),
        }
    }

    /// The state of the `up` that runs now, if one does.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read() -> Result<Option<Self>> {
        let path = file()?;
        let Ok(text) = fs::read_to_string(&path) else {
            return Ok(None);
        };
        let state: Self =
            serde_json::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))?;
        Ok(state.up.is_alive().then_some(state))
    }

    /// Writes the file, at once: whoever reads it sees the old one or the new one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<()> {
        write_at_once(&file()?, &serde_json::to_string_pretty(self)?)
    }

    /// Whether the file is there; if not while an `up` runs, somebody has removed it.
    pub fn is_written() -> bool {
        file().is_ok_and(|path| path.is_file())
    }
}

/// Looked for without making its folder, so that an `up` whose folder goes does not get in the way.
fn file() -> Result<PathBuf> {
    Ok(paths::kept()?.join(NAME).join("state.json"))
}

/// The folder of `up`'s lists and logs.
///
/// # Errors
/// When it cannot be made.
pub fn directory() -> Result<PathBuf> {
    let directory = paths::kept()?.join(NAME);
    paths::make_private(&directory)?;
    Ok(directory)
}

/// Ends what an earlier `up` left running, and says the names. Only for whoever holds the
/// [`Lock`](super::lock::Lock).
///
/// # Errors
/// When something does not end.
pub fn clean_up() -> Result<Vec<String>> {
    let directory = directory()?;
    let ended = folder::end_listed(&directory.join("processes"))?;
    for left in ["state.json", "requests"] {
        let path = directory.join(left);
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else if path.exists() {
            fs::remove_file(path)?;
        }
    }
    Ok(ended)
}

/// Writes a file that only this user can read and that is never seen half-written.
///
/// # Errors
/// When it cannot be written.
pub fn write_at_once(path: &Path, text: &str) -> Result<()> {
    let half = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| fs::rename(&half, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}
