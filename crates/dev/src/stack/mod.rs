//! The whole of Sekisho, privately: real PostgreSQL, real NATS, a mailbox and every service.

mod listing;
mod options;
mod process;
mod steps;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::Service;
use crate::folder::Folder;
use crate::mailbox::Mailbox;
use crate::nats::Bus;
use crate::postgres::Server;
use crate::process::Spawned;
use crate::provider::{self, Provider};

pub use listing::Listed;
pub use options::{Scheme, StackOptions};
pub use process::Process;

/// The whole of Sekisho on free ports of loopback, with data of its own. It goes away with this value, or with this
/// process. A test that uses it from several threads puts it behind a mutex.
#[derive(Debug)]
pub struct Stack {
    // What needs others ends before them; the folder goes last.
    services: Vec<Process>,
    mailbox: Mailbox,
    provider: Option<Provider>,
    bus: Bus,
    postgres: Server,
    keys: PathBuf,
    scheme: Scheme,
    folder: Folder,
}

impl Stack {
    /// Builds what is needed and starts everything; comes back when all of it answers.
    ///
    /// # Errors
    /// When a tool is missing, something does not build, or does not start: with the last lines that it wrote.
    pub fn start(options: &StackOptions) -> Result<Self> {
        steps::start(options, &mut |_| {})
    }

    /// Like [`Stack::start`], and says what it does.
    ///
    /// # Errors
    /// Like [`Stack::start`].
    pub fn start_saying(options: &StackOptions, say: &mut dyn FnMut(&str)) -> Result<Self> {
        steps::start(options, say)
    }

    /// A replica, counted from 0.
    ///
    /// # Panics
    /// When the stack was not started with that many.
    pub fn process(&self, service: Service, number: usize) -> &Process {
        &self.services[self.place(service, number)]
    }

    /// Every replica of every service.
    pub fn processes(&self) -> &[Process] {
        &self.services
    }

    /// SIGKILL to a replica; comes back when it is gone.
    ///
    /// # Errors
    /// When it does not run.
    ///
    /// # Panics
    /// When the stack was not started with that many.
    pub fn kill(&mut self, service: Service, number: usize) -> Result<()> {
        let place = self.place(service, number);
        self.services[place].kill()
    }

    /// SIGTERM to a replica; the exit code with which it ends, or `None` if a signal ended it.
    ///
    /// # Errors
    /// When it does not run, or does not end.
    ///
    /// # Panics
    /// When the stack was not started with that many.
    pub fn stop(&mut self, service: Service, number: usize) -> Result<Option<i32>> {
        let place = self.place(service, number);
        Ok(self.services[place].stop()?.code())
    }

    /// Starts a replica again on the same address; comes back when it answers.
    ///
    /// # Errors
    /// When it does not start.
    ///
    /// # Panics
    /// When the stack was not started with that many.
    pub fn start_service(&mut self, service: Service, number: usize) -> Result<()> {
        let place = self.place(service, number);
        self.services[place].start()
    }

    /// Stops the clock of a replica (SIGSTOP) until [`Stack::resume`]: it keeps its connections and answers nothing.
    ///
    /// # Errors
    /// When it does not run.
    ///
    /// # Panics
    /// When the stack was not started with that many.
    pub fn pause(&mut self, service: Service, number: usize) -> Result<()> {
        let place = self.place(service, number);
        self.services[place].signal(Signal::STOP)
    }

    /// Lets a replica go on (SIGCONT) that [`Stack::pause`] has stopped.
    ///
    /// # Errors
    /// When it does not run.
    ///
    /// # Panics
    /// When the stack was not started with that many.
    pub fn resume(&mut self, service: Service, number: usize) -> Result<()> {
        let place = self.place(service, number);
        self.services[place].signal(Signal::CONT)
    }

    /// The connection string of a database role: `postgres` (the superuser), `sekisho_otp`, or just `otp`.
    pub fn database_url(&self, role: &str) -> String {
        self.postgres.url(role)
    }

    /// The connection string of a user of the bus: `credentials`, `otp`, `sessions` or `audit`.
    pub fn nats_url(&self, user: &str) -> String {
        self.bus.url(user)
    }

    /// Where a browser finds the first gateway: `http://localhost:8080`, or `https://…`.
    ///
    /// # Panics
    /// When the stack has no gateway.
    pub fn portal_url(&self) -> String {
        let port = self.process(Service::Gateway, 0).address.port();
        format!("{}://localhost:{port}", self.scheme)
    }

    /// Where the mailbox shows its mails: `http://localhost:8025`.
    pub fn mailbox_url(&self) -> String {
        format!("http://localhost:{}", self.mailbox.http().port())
    }

    /// The provider of NCR accounts, as its ID tokens name it, if there is one.
    pub fn issuer(&self) -> Option<String> {
        self.provider.as_ref().map(Provider::issuer)
    }

    /// Where the mailbox takes mails.
    pub fn smtp_address(&self) -> SocketAddr {
        self.mailbox.smtp()
    }

    /// The folder of certificates (`<role>.pem`, `<role>.key`, `ca.pem`) and key files.
    pub fn certificates(&self) -> &Path {
        &self.keys
    }

    /// The folder of this stack: logs, certificates, lists.
    pub fn directory(&self) -> &Path {
        &self.folder.own
    }

    /// The log file of a part: a service's name, `postgres`, `nats`, `mailbox` or `ncr-provider`.
    pub fn log_file(&self, name: &str) -> PathBuf {
        self.folder.own.join(format!("{name}.log"))
    }

    /// Kills the part of this name with SIGKILL: `postgres`, `nats`, `mailbox`, `ncr-provider`, `otp`, `otp-1`.
    ///
    /// # Errors
    /// When there is no such part, or it does not run.
    pub fn kill_part(&mut self, name: &str) -> Result<()> {
        match name {
            "postgres" => self.postgres.kill(),
            "nats" => self.bus.kill(),
            "mailbox" => self.mailbox.kill(),
            provider::NAME => self.own_provider()?.kill(),
            service => self.named(service)?.kill(),
        }
    }

    /// Starts the part of this name again on its old address.
    ///
    /// # Errors
    /// When there is no such part, it is not ours, or it does not start.
    pub fn start_part(&mut self, name: &str) -> Result<()> {
        match name {
            "postgres" if self.postgres.is_ours() => self.postgres.start(),
            "nats" if self.bus.is_ours() => self.bus.start(),
            "postgres" | "nats" => bail!("{name} is not ours to start"),
            "mailbox" => self.mailbox.start(),
            provider::NAME => self.own_provider()?.start(),
            service => self.named(service)?.start(),
        }
    }

    /// Notices which parts have ended without being asked to, and says how: a sentence for each.
    pub fn notice_ended(&mut self) -> Vec<String> {
        let servers = [
            &mut self.postgres.running,
            &mut self.bus.running,
            &mut self.mailbox.running,
        ];
        let provider = self.provider.as_mut().map(|provider| &mut provider.running);
        let services = self.services.iter_mut().map(|process| &mut process.running);
        servers
            .into_iter()
            .chain(provider)
            .chain(services)
            .filter_map(notice)
            .collect()
    }

    fn own_provider(&mut self) -> Result<&mut Provider> {
        self.provider
            .as_mut()
            .context("this stack has no provider of NCR accounts")
    }

    fn named(&mut self, name: &str) -> Result<&mut Process> {
        let found = self.services.iter_mut().find(|process| process.name() == name);
        found.with_context(|| format!("there is no part {name}; `cargo dev status` lists them"))
    }

    /// Stops everything in order: first the gateways, which drain, then what they call, then the servers.
    ///
    /// # Errors
    /// The first part that does not end; the others are stopped all the same.
    pub fn stop_all(&mut self) -> Result<()> {
        let mut first = Ok(());
        for service in Service::ALL.into_iter().rev() {
            let mut replicas: Vec<_> = self
                .services
                .iter_mut()
                .filter(|process| process.service == service)
                .collect();
            first = first.and(steps::stop_replicas(&mut replicas));
        }
        first = first.and(self.provider.as_mut().map_or(Ok(()), Provider::stop));
        let running = self.mailbox.running().is_some();
        first = first.and(if running { self.mailbox.stop() } else { Ok(()) });
        let running = self.bus.running().is_some();
        first = first.and(if running { self.bus.stop() } else { Ok(()) });
        let running = self.postgres.running().is_some();
        first.and(if running {
            self.postgres.stop().map(drop)
        } else {
            Ok(())
        })
    }

    fn place(&self, service: Service, number: usize) -> usize {
        let found = self
            .services
            .iter()
            .enumerate()
            .filter(|(_, process)| process.service == service)
            .nth(number);
        let Some((place, _)) = found else {
            panic!("this stack has no {service} number {number}")
        };
        place
    }
}

fn notice(running: &mut Option<Spawned>) -> Option<String> {
    let mistake = running.as_mut()?.must_run().err()?;
    *running = None;
    Some(mistake.to_string())
}
