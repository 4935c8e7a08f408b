//! Packages of npm's registry, exactly as a lock file names them.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools::{self, Tool};
use crate::{paths, process};

/// Packages that belong together.
pub(crate) struct Packages {
    /// What for.
    pub name: &'static str,
    /// Names and texts of our own files beside them: `package.json`, `package-lock.json`, programs.
    pub files: &'static [(&'static str, &'static str)],
}

impl Packages {
    /// The folder of the packages of this version, which all stacks of this checkout share; they are fetched the first time.
    ///
    /// # Errors
    /// When npm is missing or fails.
    pub fn installed(&self) -> Result<PathBuf> {
        let mut hasher = DefaultHasher::new();
        self.files.hash(&mut hasher);
        let common = paths::common()?;
        let folder = common.join(format!("{}-{:016x}", self.name, hasher.finish()));
        // Whoever comes second waits for the packages of the first.
        let lock = File::create(common.join(format!("{}.lock", self.name)))?;
        lock.lock().context("cannot wait for another installation")?;
        if !folder.is_dir() {
            let half = folder.with_extension("new");
            if half.is_dir() {
                fs::remove_dir_all(&half)?;
            }
            paths::make_private(&half)?;
            for (name, text) in self.files {
                fs::write(half.join(name), text)?;
            }
            self.fetch(&half, &common.join("npm"))?;
            fs::rename(&half, &folder)?;
        }
        Ok(folder)
    }

    fn fetch(&self, folder: &Path, cache: &Path) -> Result<()> {
        let mut npm = Command::new(tools::require(Tool::Npm)?);
        process::clean(&mut npm);
        // No package runs a script of its own.
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache"]);
        let output = npm
            .arg(cache)
            .current_dir(folder)
            .env("npm_config_update_notifier", "false")
            .stdin(Stdio::null())
            .output()
            .context("cannot start npm")?;
        if !output.status.success() {
            // What follows is the usage of the command.
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().take(5).collect::<Vec<_>>().join(" ");
            bail!("the packages of {} cannot be fetched: {said}", self.name);
        }
        Ok(())
    }
}
