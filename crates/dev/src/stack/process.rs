//! One replica of a service.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::StackOptions;
use crate::folder::Folder;
use crate::ports::{self, Port};
use crate::process::{Spawned, Spec};
use crate::service::Surroundings;
use crate::{Service, paths, wait};

const START: Duration = Duration::from_mins(1);
/// Longer than the services' own `DRAIN_TIMEOUT`.
const STOP: Duration = Duration::from_secs(25);

/// One replica of a service.
#[derive(Debug)]
pub struct Process {
    /// Which service.
    pub service: Service,
    /// Its process number, that of the last start.
    pub pid: u32,
    /// Where it listens, the same after every start.
    pub address: SocketAddr,
    /// Where it listens for administration; at the gateway, for questions about its health.
    pub admin_address: Option<SocketAddr>,
    /// Everything that it wrote, over all its starts.
    pub log_file: PathBuf,
    spec: Spec,
    pub(super) running: Option<Spawned>,
    _ports: Vec<Port>,
}

/// The ports of a replica, before its settings are known.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) service: Service,
    pub(super) number: usize,
    pub(super) first: Port,
    pub(super) second: Option<Port>,
}

impl Place {
    pub(super) fn new(service: Service, number: usize, wanted: Option<Port>) -> Result<Self> {
        let first = wanted.map_or_else(Port::free, Ok)?;
        let second = if service.has_second_listener() {
            Some(Port::free()?)
        } else {
            None
        };
        Ok(Self {
            service,
            number,
            first,
            second,
        })
    }

    /// `otp`, and from the second replica on `otp-1`.
    fn name(&self) -> String {
        if self.number == 0 {
            self.service.to_string()
        } else {
            format!("{}-{}", self.service, self.number)
        }
    }
}

impl Process {
    pub(super) fn new(
        place: Place,
        folder: &Folder,
        around: &Surroundings,
        options: &StackOptions,
    ) -> Result<Self> {
        let service = place.service;
        let name = place.name();
        let address = place.first.address();
        let admin_address = place.second.as_ref().map(Port::address);
        let mut environment = around.settings(service, address, admin_address);
        let more = options
            .environment
            .iter()
            .filter(|(named, _, _)| *named == service);
        environment.extend(more.map(|(_, variable, value)| (variable.clone(), value.clone())));
        let log_file = folder.own.join(format!("{name}.log"));
        let spec = Spec {
            name,
            program: paths::binaries()?.join(service.program()),
            arguments: Vec::new(),
            environment,
            directory: folder.own.clone(),
            log_file: log_file.clone(),
            user: None,
            death_signal: "KILL",
            ledger: folder.ledger(),
        };
        let ports = std::iter::once(place.first).chain(place.second).collect();
        Ok(Self {
            service,
            pid: 0,
            address,
            admin_address,
            log_file,
            spec,
            running: None,
            _ports: ports,
        })
    }

    /// Its name in lists: `otp`, `otp-1`.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The address for gRPC clients.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let written = std::fs::metadata(&self.log_file).map_or(0, |file| file.len());
        let mut started = self.spec.start()?;
        self.pid = started.pid();
        ports::wait_listening(&mut started, self.address, START)?;
        if let Some(address) = self.admin_address {
            ports::wait_listening(&mut started, address, START)?;
        }
        let what = format!("{} to be ready", self.spec.name);
        wait::until(&what, START, || {
            started.must_run()?;
            Ok(self.is_ready(written).then_some(()))
        })?;
        self.running = Some(started);
        Ok(())
    }

    /// The gateway answers on HTTP; the others, whose health only speaks mTLS, say it in their log. `since` is how
    /// much of the log earlier starts wrote.
    fn is_ready(&self, since: u64) -> bool {
        match (self.service, self.admin_address) {
            (Service::Gateway, Some(address)) => {
                status(address, "/health/ready").is_ok_and(|status| status == 200)
            }
            _ => says_ready(&self.log_file, since).unwrap_or(false),
        }
    }

    pub(crate) fn kill(&mut self) -> Result<()> {
        self.take()?.kill()
    }

    /// SIGTERM, and not yet the wait for the end.
    pub(crate) fn ask_to_stop(&mut self) -> Result<()> {
        self.running
            .as_mut()
            .map_or(Ok(()), |running| running.signal(Signal::TERM))
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        let running = self.running.as_mut();
        running
            .with_context(|| format!("{} does not run", self.spec.name))?
            .signal(signal)
    }

    /// SIGTERM and the wait for the end. What SIGKILL has to end has no exit code.
    pub(crate) fn stop(&mut self) -> Result<ExitStatus> {
        self.take()?.stop(Signal::TERM, STOP)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(crate) fn running(&mut self) -> Option<&mut Spawned> {
        self.running.as_mut()
    }

    fn take(&mut self) -> Result<Spawned> {
        self.running
            .take()
            .with_context(|| format!("{} does not run", self.spec.name))
    }
}

/// Whether a service's log says, after its first `since` bytes, that every latch is released.
fn says_ready(log_file: &Path, since: u64) -> Result<bool> {
    let mut file = File::open(log_file)?;
    file.seek(SeekFrom::Start(since))?;
    let mut lines = BufReader::new(file).lines().map_while(Result::ok);
    Ok(lines.any(|line| line.contains("\"message\":\"ready\"")))
}

/// The status of an HTTP answer.
fn status(address: SocketAddr, path: &str) -> Result<u16> {
    let limit = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    match line.split_whitespace().nth(1) {
        Some(status) => status.parse().context("not an HTTP status"),
        None => bail!("no HTTP answer"),
    }
}
