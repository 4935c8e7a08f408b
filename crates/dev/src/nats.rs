//! Real NATS servers, private and on loopback, with the users of deploy/nats/nats.conf.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use percent_encoding::percent_decode_str;
use rustix::process::Signal;
use url::Url;

use crate::folder::Folder;
use crate::ports::Port;
use crate::process::{Spawned, Spec};
use crate::secret::Secret;
use crate::tools::{self, Tool};
use crate::{paths, random, wait};

/// The users of deploy/nats/nats.conf.
const USERS: [&str; 4] = ["credentials", "otp", "sessions", "audit"];
const CONFIGURATION: &str = "deploy/nats/nats.conf";
const START: Duration = Duration::from_secs(20);
const NOT_OURS: &str = "NATS does not run, or is not ours to stop";

static SHARED: Mutex<Option<&'static Nats>> = Mutex::new(None);

/// A NATS server of its own, that goes away with this value, or with this process.
#[derive(Debug)]
pub struct Nats {
    bus: Mutex<Bus>,
    // Also keeps the folder until the server has ended.
    _folder: Folder,
    urls: Vec<(&'static str, Secret)>,
    address: SocketAddr,
}

impl Nats {
    /// A new server.
    ///
    /// # Errors
    /// When the NATS server is missing or does not start.
    pub fn start() -> Result<Self> {
        let folder = Folder::temporary("nats")?;
        let mut bus = Bus::new(&folder)?;
        bus.start()?;
        let urls = USERS
            .into_iter()
            .map(|user| (user, Secret(bus.url(user))))
            .collect();
        let address = bus.address().parse().context("NATS has no address")?;
        Ok(Self {
            bus: Mutex::new(bus),
            _folder: folder,
            urls,
            address,
        })
    }

    /// One server for all tests of this process.
    ///
    /// # Errors
    /// Like [`Nats::start`].
    pub fn shared() -> Result<&'static Self> {
        let mut shared = SHARED
            .lock()
            .map_err(|_| anyhow!("an earlier test could not start NATS"))?;
        if let Some(nats) = *shared {
            return Ok(nats);
        }
        let nats: &'static Self = Box::leak(Box::new(Self::start()?));
        *shared = Some(nats);
        Ok(nats)
    }

    /// The connection string of a user: `credentials`, `otp`, `sessions` or `audit`. Another user's has no password.
    pub fn url(&self, user: &str) -> String {
        let known = self.urls.iter().find(|(name, _)| *name == user);
        known.map_or_else(
            || format!("nats://{user}@{}", self.address),
            |(_, url)| url.0.clone(),
        )
    }

    /// Where it listens, the same after every start.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIGKILL; comes back when it is gone.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&self) -> Result<()> {
        self.with(Bus::kill)
    }

    /// Starts it again on the same port with the same passwords.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&self) -> Result<()> {
        self.with(Bus::start)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Bus) -> Result<T>) -> Result<T> {
        let mut bus = self
            .bus
            .lock()
            .map_err(|_| anyhow!("another thread failed while it used NATS"))?;
        act(&mut bus)
    }
}

/// One NATS server in a folder of somebody else's.
#[derive(Debug)]
pub(crate) struct Bus {
    place: Place,
    pub(crate) running: Option<Spawned>,
}

#[derive(Debug)]
enum Place {
    /// A server of ours.
    Own { spec: Spec, port: Port },
    /// One that somebody else runs, by a connection string for all services.
    Elsewhere { url: Secret, address: String },
}

impl Bus {
    pub(crate) fn new(folder: &Folder) -> Result<Self> {
        let port = Port::free()?;
        let configuration = paths::workspace().join(CONFIGURATION);
        let mut environment = vec![("SEKISHO_NATS_PORT".to_owned(), port.number.to_string())];
        for user in USERS {
            environment.push((variable(user), random::password()?));
        }
        let spec = Spec {
            name: "nats".to_owned(),
            program: tools::require(Tool::NatsServer)?,
            // What the file leaves open is every address; here it must be loopback.
            arguments: ["--addr", "127.0.0.1", "--config"]
                .map(OsString::from)
                .into_iter()
                .chain([configuration.into()])
                .collect(),
            environment,
            directory: folder.own.clone(),
            log_file: folder.own.join("nats.log"),
            user: None,
            death_signal: "KILL",
            ledger: folder.ledger(),
        };
        Ok(Self {
            place: Place::Own { spec, port },
            running: None,
        })
    }

    /// A server that somebody else runs.
    ///
    /// # Errors
    /// When it is no connection string.
    pub(crate) fn elsewhere(url: &str) -> Result<Self> {
        let form = "--nats takes nats://USER:PASSWORD@HOST:PORT";
        let parsed = Url::parse(url).context(form)?;
        ensure!(["nats", "tls"].contains(&parsed.scheme()), form);
        let host = parsed.host_str().context(form)?;
        Ok(Self {
            place: Place::Elsewhere {
                url: Secret(url.to_owned()),
                address: format!("{host}:{}", parsed.port().unwrap_or(4222)),
            },
            running: None,
        })
    }

    /// Comes back when it answers.
    pub(crate) fn start(&mut self) -> Result<()> {
        let (spec, port) = match &self.place {
            Place::Own { .. } if self.running.is_some() => return Ok(()),
            Place::Own { spec, port } => (spec, port),
            Place::Elsewhere { url, address } => {
                let mut found = address.to_socket_addrs().into_iter().flatten();
                let found = found.find(|address| greets(*address));
                let found =
                    found.with_context(|| format!("the server of --nats, {address}, does not answer"))?;
                return lets_in(found, &url.0)
                    .with_context(|| format!("the server of --nats, {address}, cannot be used"));
            }
        };
        let mut process = spec.start()?;
        let address = port.address();
        wait::until("NATS to answer", START, || {
            process.must_run()?;
            Ok(greets(address).then_some(()))
        })?;
        self.running = Some(process);
        Ok(())
    }

    pub(crate) fn kill(&mut self) -> Result<()> {
        self.running.take().context(NOT_OURS)?.kill()
    }

    pub(crate) fn stop(&mut self) -> Result<()> {
        self.running
            .take()
            .context(NOT_OURS)?
            .stop(Signal::TERM, START)
            .map(drop)
    }

    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.place, Place::Own { .. })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        match &self.place {
            Place::Own { port, .. } => port.address().to_string(),
            Place::Elsewhere { address, .. } => address.clone(),
        }
    }

    pub(crate) fn running(&mut self) -> Option<&mut Spawned> {
        self.running.as_mut()
    }

    /// Of a server of ours.
    pub(crate) fn log_file(&self) -> Option<&Path> {
        match &self.place {
            Place::Own { spec, .. } => Some(&spec.log_file),
            Place::Elsewhere { .. } => None,
        }
    }

    pub(crate) fn url(&self, user: &str) -> String {
        let spec = match &self.place {
            Place::Own { spec, .. } => spec,
            Place::Elsewhere { url, .. } => return url.0.clone(),
        };
        let variable = variable(user);
        let found = spec.environment.iter().find(|(name, _)| *name == variable);
        let password = found.map_or("", |(_, value)| value.as_str());
        format!("nats://{user}:{password}@{}", self.address())
    }
}

fn variable(user: &str) -> String {
    format!("SEKISHO_NATS_{}_PASSWORD", user.to_uppercase())
}

/// Whether a NATS server takes a login, in the words of its client protocol. One that wants TLS is left to the services,
/// which speak it.
fn lets_in(address: SocketAddr, url: &str) -> Result<()> {
    let url = Url::parse(url)?;
    let limit = Some(Duration::from_secs(2));
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(limit)?;
    stream.set_write_timeout(limit)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if url.scheme() == "tls" || line.contains("\"tls_required\":true") {
        return Ok(());
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = serde_json::json!({
        "verbose": false,
        "pedantic": false,
        "user": decoded(url.username()),
        "pass": decoded(url.password().unwrap_or_default()),
    });
    stream.write_all(format!("CONNECT {login}\r\nPING\r\n").as_bytes())?;
    // It may tell of itself once more in between.
    while line.starts_with("INFO ") {
        line.clear();
        reader.read_line(&mut line)?;
    }
    ensure!(line.starts_with("PONG"), "{}", line.trim());
    Ok(())
}

/// A NATS server speaks first.
fn greets(address: SocketAddr) -> bool {
    let limit = Duration::from_secs(1);
    let Ok(stream) = TcpStream::connect_timeout(&address, limit) else {
        return false;
    };
    let mut line = String::new();
    let read = stream
        .set_read_timeout(Some(limit))
        .and_then(|()| BufReader::new(stream).read_line(&mut line));
    read.is_ok() && line.starts_with("INFO ")
}
