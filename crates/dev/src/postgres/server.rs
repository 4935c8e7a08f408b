//! One PostgreSQL server: its data, its port and its process.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{Passwords, Psql, Reach};
use crate::folder::Folder;
use crate::ports::Port;
use crate::process::{Spawned, Spec, user};
use crate::tools::{self, Tool};
use crate::wait;

/// Crash recovery of a test's data is a matter of seconds; a minute is for a busy machine.
const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_secs(20);
const NOT_OURS: &str = "PostgreSQL does not run, or is not ours to stop";

/// A server of ours, or one that somebody else runs.
#[derive(Debug)]
pub(crate) struct Server {
    own: Option<Own>,
    reach: Reach,
    pub(crate) passwords: Passwords,
    pub(crate) running: Option<Spawned>,
}

/// How a server of ours is started; its port is kept.
#[derive(Debug)]
struct Own {
    spec: Spec,
    _port: Port,
}

impl Server {
    /// A server on data that is already in `folder`'s `data`; not started yet.
    pub(crate) fn new(folder: &Folder, passwords: Passwords) -> Result<Self> {
        let port = Port::free()?;
        let spec = Spec {
            name: "postgres".to_owned(),
            program: tools::require(Tool::PostgreSql)?.join("postgres"),
            arguments: arguments(&folder.servers.join("data"), port.number),
            environment: Vec::new(),
            directory: folder.servers.clone(),
            log_file: folder.own.join("postgres.log"),
            user: user::for_servers()?,
            // A fast shutdown: it leaves no shared memory behind.
            death_signal: "INT",
            ledger: folder.ledger(),
        };
        Ok(Self {
            reach: Reach::own(port.number),
            own: Some(Own { spec, _port: port }),
            passwords,
            running: None,
        })
    }

    /// A server that somebody else runs.
    pub(crate) fn elsewhere(reach: Reach, passwords: Passwords) -> Self {
        Self {
            own: None,
            reach,
            passwords,
            running: None,
        }
    }

    /// It keeps what it has acknowledged if it is killed, and no longer if the machine loses its power.
    pub(crate) fn trusting_the_machine(mut self) -> Self {
        if let Some(own) = &mut self.own {
            // A client that is dropped in the middle of its handshake keeps each DROP DATABASE waiting until it is given up, which by
            // default takes a minute.
            for setting in ["fsync=off", "authentication_timeout=5s"] {
                own.spec.arguments.extend(["-c".into(), setting.into()]);
            }
        }
        self
    }

    /// Comes back when it answers.
    pub(crate) fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let Some(own) = &self.own else {
            let answer = self.psql(&self.reach.database)?.run("select 1;").map(drop);
            return answer.with_context(|| format!("the server of --postgres, {}", self.reach.address()));
        };
        let mut process = own.spec.start()?;
        let psql = self.psql("postgres")?;
        wait::until("PostgreSQL to answer", START, || {
            process.must_run()?;
            match psql.run("select 1;") {
                Ok(_) => Ok(Some(())),
                // It answers, and will never answer otherwise.
                Err(mistake) if is_refused(&mistake) => Err(mistake),
                Err(_) => Ok(None),
            }
        })?;
        self.running = Some(process);
        Ok(())
    }

    pub(crate) fn kill(&mut self) -> Result<()> {
        self.running.take().context(NOT_OURS)?.kill()
    }

    /// SIGINT is PostgreSQL's fast shutdown: it ends connections and writes a checkpoint.
    pub(crate) fn stop(&mut self) -> Result<ExitStatus> {
        self.running.take().context(NOT_OURS)?.stop(Signal::INT, STOP)
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.running.as_ref().map(Spawned::pid).context(NOT_OURS)
    }

    pub(crate) fn running(&mut self) -> Option<&mut Spawned> {
        self.running.as_mut()
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.own.is_some()
    }

    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Of a server of ours.
    pub(crate) fn log_file(&self) -> Option<&Path> {
        self.own.as_ref().map(|own| own.spec.log_file.as_path())
    }

    pub(crate) fn url(&self, role: &str) -> String {
        self.passwords.url(role, &self.reach, &self.reach.database)
    }

    /// The superuser in the database of the log.
    pub(crate) fn psql_in_log(&self) -> Result<Psql> {
        self.psql(&self.reach.database)
    }

    pub(crate) fn psql(&self, database: &str) -> Result<Psql> {
        Psql::new(&self.passwords, &self.reach, database)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // An immediate shutdown: nothing is written, and unlike SIGKILL it gives its shared memory back.
            let _ = running.stop(Signal::QUIT, STOP);
        }
    }
}

/// The server's own words, which `initialise` keeps in English.
fn is_refused(mistake: &anyhow::Error) -> bool {
    mistake.to_string().contains("password authentication failed")
}

fn arguments(data: &Path, port: u16) -> Vec<OsString> {
    let settings = [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        // The promise that an acknowledged event is durable is under test.
        "fsync=on".to_owned(),
        "max_connections=200".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
    ];
    let mut arguments = vec![OsString::from("-D"), data.as_os_str().to_owned()];
    for setting in settings {
        arguments.extend([OsString::from("-c"), OsString::from(setting)]);
    }
    arguments
}

/// Makes an empty server's data in `folder`'s `data`.
pub(super) fn initialise(folder: &Folder, passwords: &Passwords) -> Result<()> {
    let password_file = folder.servers.join("password");
    write_for_servers(&password_file, &passwords.postgres)?;
    let mut arguments: Vec<OsString> = [
        "--username=postgres",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-instructions",
    ]
    .map(OsString::from)
    .to_vec();
    arguments.push(option("--pwfile=", &password_file));
    arguments.push(option("--pgdata=", &folder.servers.join("data")));
    let spec = Spec {
        name: "initdb".to_owned(),
        program: tools::require(Tool::PostgreSql)?.join("initdb"),
        arguments,
        environment: Vec::new(),
        directory: folder.servers.clone(),
        log_file: folder.own.join("initdb.log"),
        user: user::for_servers()?,
        death_signal: "KILL",
        ledger: folder.ledger(),
    };
    let mut process = spec.start()?;
    let ended = wait::until("initdb to end", Duration::from_mins(2), || {
        match process.ended()? {
            Some(status) if !status.success() => process.must_run().map(|()| None),
            Some(_) => Ok(Some(())),
            None => Ok(None),
        }
    });
    fs::remove_file(&password_file)?;
    ended
}

fn option(name: &str, value: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}

/// A secret file that the servers' user can read and nobody else.
fn write_for_servers(path: &PathBuf, text: &str) -> Result<()> {
    fs::write(path, "")?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    fs::write(path, text)?;
    let folder = fs::metadata(path.parent().context("a file at the root")?)?;
    std::os::unix::fs::chown(path, Some(folder.uid()), Some(folder.gid())).context("cannot give a file away")
}
