//! Starting, watching and ending one child process.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::user::User;
use super::{Identity, descendants, keeper, send};
use crate::tools::places;
use crate::{folder, wait};

/// How to start a process, as often as needed.
#[derive(Clone)]
pub struct Spec {
    /// What people call it: `postgres`, `otp`, `otp-1`.
    pub name: String,
    /// The program's file.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What it finds in its environment besides ours; see [`Spec::start`] for what it does not find.
    pub environment: Vec<(String, String)>,
    /// The folder that it starts in.
    pub directory: PathBuf,
    /// Where its standard output and standard error are appended to.
    pub log_file: PathBuf,
    /// Whom it runs as, if that is not us.
    pub user: Option<User>,
    /// What the kernel sends it when we die without ending it.
    pub death_signal: &'static str,
    /// The list of processes that it is written into, so that a later run can end what is left.
    pub ledger: PathBuf,
}

impl fmt::Debug for Spec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment holds passwords.
        formatter
            .debug_struct("Spec")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Spec {
    /// Starts the process in a process group of its own, so that Ctrl-C in our terminal reaches only us. Where
    /// there is util-linux's `setpriv`, it dies with us. Of our environment it does not see what cargo set for us,
    /// nor `PG*` and `SEKISHO_*` (but `SEKISHO_LOG`): those would silently change what it connects to.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self) -> Result<Spawned> {
        let log = open_log(&self.log_file)?;
        let mut command = self.command()?;
        clean(&mut command);
        command
            .envs(self.environment.iter().cloned())
            .current_dir(&self.directory)
            .process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = keeper::spawn(command)
            .with_context(|| format!("cannot start {} ({})", self.name, self.program.display()))?;
        let identity = Identity::of(child.id());
        if let Some(identity) = &identity {
            folder::note_process(&self.ledger, identity, &self.name)?;
        }
        Ok(Spawned {
            name: self.name.clone(),
            pid: child.id(),
            identity,
            child,
            log_file: self.log_file.clone(),
        })
    }

    fn command(&self) -> Result<Command> {
        let Some(setpriv) = places().on_path("setpriv") else {
            if let Some(user) = &self.user {
                bail!(
                    "to run {} as {}, setpriv of util-linux is needed, and it is missing",
                    self.name,
                    user.name
                );
            }
            let mut command = Command::new(&self.program);
            command.args(&self.arguments);
            return Ok(command);
        };
        let mut command = Command::new(setpriv);
        command.arg(format!("--pdeathsig={}", self.death_signal));
        if let Some(user) = &self.user {
            command
                .arg(format!("--reuid={}", user.uid))
                .arg(format!("--regid={}", user.gid))
                .arg("--clear-groups");
        }
        command.arg("--").arg(&self.program).args(&self.arguments);
        Ok(command)
    }
}

/// Takes out of a command's environment what was meant for us only.
pub(crate) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text == "LD_LIBRARY_PATH";
        let misleading = text.starts_with("PG") || (text.starts_with("SEKISHO_") && text != "SEKISHO_LOG");
        if ours || misleading || text == "DATABASE_URL" {
            command.env_remove(&name);
        }
    }
}

fn open_log(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options
        .open(path)
        .with_context(|| format!("cannot write the log file {}", path.display()))
}

/// A process that we started.
#[derive(Debug)]
pub struct Spawned {
    name: String,
    pid: u32,
    identity: Option<Identity>,
    child: Child,
    log_file: PathBuf,
}

impl Spawned {
    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its number and start time; `None` if it ended before we could look.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// How it ended, or `None` while it runs.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot look after {}", self.name))
    }

    /// Fails if it has ended, with the last lines that it wrote; not if it was killed, of which it knew nothing.
    ///
    /// # Errors
    /// When it has ended.
    pub fn must_run(&mut self) -> Result<()> {
        let Some(status) = self.ended()? else {
            return Ok(());
        };
        let (name, how) = (&self.name, describe(status));
        if status.signal() == Some(Signal::KILL.as_raw()) {
            bail!("{name} ended ({how}; log: {})", self.log_file.display());
        }
        bail!("{name} ended ({how}); {}", last_words(&self.log_file))
    }

    /// Sends a signal to it, and to nobody else once it has ended.
    ///
    /// # Errors
    /// When the system does not tell whether it still runs.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        // Not collected yet, so its number cannot belong to anybody else.
        if self.ended()?.is_none() {
            send(self.pid, signal);
        }
        Ok(())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it has not ended after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("{} to end", self.name);
        wait::poll(&what, limit, || self.ended())
    }

    /// SIGKILL to it and to every process below it; comes back when all of them are gone.
    ///
    /// # Errors
    /// When one of them does not end within 10 s.
    pub fn kill(&mut self) -> Result<()> {
        let below = descendants(self.pid);
        self.signal(Signal::KILL)?;
        for process in &below {
            process.signal(Signal::KILL);
        }
        self.wait(Duration::from_secs(10))?;
        below
            .iter()
            .try_for_each(|process| process.wait_gone(Duration::from_secs(10)))
    }

    /// Asks it to end with `signal`, and kills it if it has not done so after `limit`.
    ///
    /// # Errors
    /// When not even that ends it.
    pub fn stop(&mut self, signal: Signal, limit: Duration) -> Result<ExitStatus> {
        self.signal(signal)?;
        if let Ok(status) = self.wait(limit) {
            return Ok(status);
        }
        self.kill()?;
        self.wait(limit)
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // Nothing more can be done about a process that even this does not end.
        let _ = self.kill();
    }
}

/// "exit code 64" or "signal 9".
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "for no known reason".to_owned(),
    }
}

fn last_words(log_file: &Path) -> String {
    let text = fs::read(log_file)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let mut lines: Vec<&str> = text
        .lines()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .take(5)
        .collect();
    lines.reverse();
    if lines.is_empty() {
        return format!("it wrote nothing into {}", log_file.display());
    }
    format!(
        "the last lines of {}:\n    {}",
        log_file.display(),
        lines.join("\n    ")
    )
}
