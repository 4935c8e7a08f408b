//! The mailbox of a stack: the program `sekisho-mailbox`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::folder::Folder;
use crate::paths;
use crate::ports::{self, Port};
use crate::process::{Spawned, Spec};

const START: Duration = Duration::from_secs(20);

/// A mailbox: takes every mail by SMTP and shows it by HTTP.
#[derive(Debug)]
pub(crate) struct Mailbox {
    spec: Spec,
    smtp: Port,
    http: Port,
    pub(crate) running: Option<Spawned>,
}

impl Mailbox {
    pub(crate) fn new(folder: &Folder, http: Port) -> Result<Self> {
        let smtp = Port::free()?;
        let addresses = [smtp.address().to_string(), http.address().to_string()];
        let [smtp_address, http_address] = &addresses;
        let spec = Spec {
            name: "mailbox".to_owned(),
            program: paths::binaries()?.join("sekisho-mailbox"),
            arguments: ["--smtp", smtp_address, "--http", http_address]
                .map(Into::into)
                .to_vec(),
            environment: Vec::new(),
            directory: folder.own.clone(),
            log_file: folder.own.join("mailbox.log"),
            user: None,
            death_signal: "KILL",
            ledger: folder.ledger(),
        };
        Ok(Self {
            spec,
            smtp,
            http,
            running: None,
        })
    }

    pub(crate) fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let mut process = self.spec.start()?;
        for address in [self.smtp(), self.http()] {
            ports::wait_listening(&mut process, address, START)?;
        }
        self.running = Some(process);
        Ok(())
    }

    pub(crate) fn kill(&mut self) -> Result<()> {
        self.running.take().context("the mailbox does not run")?.kill()
    }

    pub(crate) fn stop(&mut self) -> Result<()> {
        self.running
            .take()
            .context("the mailbox does not run")?
            .stop(Signal::TERM, START)
            .map(drop)
    }

    pub(crate) fn smtp(&self) -> SocketAddr {
        self.smtp.address()
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.http.address()
    }

    pub(crate) fn running(&mut self) -> Option<&mut Spawned> {
        self.running.as_mut()
    }

    pub(crate) fn log_file(&self) -> &Path {
        &self.spec.log_file
    }
}
