//! What runs, for `cargo dev status`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Stack;
use crate::process::{Identity, Spawned};
use crate::provider;

/// One process of a stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    /// `postgres`, `nats`, `mailbox`, `ncr-provider`, or a service's name.
    pub name: String,
    /// The process, or `None` if it does not run.
    pub process: Option<Identity>,
    /// Where it listens, by what for: `listen`, `administration`, `health`, `smtp`, `page`.
    pub addresses: BTreeMap<String, String>,
    /// Connection strings with their passwords, by role or user.
    pub connections: BTreeMap<String, String>,
    /// Everything that it wrote; none of what somebody else runs.
    pub log_file: Option<PathBuf>,
}

impl Listed {
    /// Every address with what it is for: `administration 127.0.0.1:20001, listen 127.0.0.1:20002`.
    pub fn places(&self) -> String {
        let place = |(purpose, address): (&String, &String)| format!("{purpose} {address}");
        self.addresses.iter().map(place).collect::<Vec<_>>().join(", ")
    }
}

impl Stack {
    /// Every process: servers first, then services.
    pub fn listing(&mut self) -> Vec<Listed> {
        let roles = [
            "postgres",
            "sekisho_credentials",
            "sekisho_otp",
            "sekisho_sessions",
            "sekisho_audit",
            "sekisho_operator",
            "sekisho_reader",
        ];
        // The superuser of a server that somebody else runs is not ours to tell.
        let is_ours = self.postgres.log_file().is_some();
        let roles = roles.into_iter().filter(|role| is_ours || *role != "postgres");
        let postgres_urls: Vec<_> = roles.map(|role| (role, self.postgres.url(role))).collect();
        let postgres_urls = table(&postgres_urls);
        let bus_urls =
            table(&["credentials", "otp", "sessions", "audit"].map(|user| (user, self.bus.url(user))));
        let postgres_address = table(&[("listen", self.postgres.reach().address())]);
        let bus_address = table(&[("listen", self.bus.address())]);
        let mails = table(&[
            ("smtp", self.mailbox.smtp().to_string()),
            ("page", self.mailbox_url()),
        ]);
        let logs = [
            self.postgres.log_file(),
            self.bus.log_file(),
            Some(self.mailbox.log_file()),
        ]
        .map(|file| file.map(Path::to_path_buf));
        let [postgres_log, bus_log, mailbox_log] = logs;
        let mut all = vec![
            listed(
                "postgres",
                self.postgres.running(),
                postgres_address,
                postgres_urls,
                postgres_log,
            ),
            listed("nats", self.bus.running(), bus_address, bus_urls, bus_log),
            listed(
                "mailbox",
                self.mailbox.running(),
                mails,
                BTreeMap::new(),
                mailbox_log,
            ),
        ];
        if let Some(provider) = &mut self.provider {
            let address = table(&[("listen", provider.address().to_string())]);
            let log = provider.log_file().to_path_buf();
            let running = provider.running.as_mut();
            all.push(listed(
                provider::NAME,
                running,
                address,
                BTreeMap::new(),
                Some(log),
            ));
        }
        for process in &mut self.services {
            let mut addresses = table(&[("listen", process.address.to_string())]);
            let second = if process.service == crate::Service::Gateway {
                "health"
            } else {
                "administration"
            };
            addresses.extend(
                process
                    .admin_address
                    .map(|address| (second.to_owned(), address.to_string())),
            );
            let (name, log) = (process.name().to_owned(), process.log_file.clone());
            all.push(listed(
                &name,
                process.running(),
                addresses,
                BTreeMap::new(),
                Some(log),
            ));
        }
        all
    }
}

fn table(pairs: &[(&str, String)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn listed(
    name: &str,
    running: Option<&mut Spawned>,
    addresses: BTreeMap<String, String>,
    connections: BTreeMap<String, String>,
    log_file: Option<PathBuf>,
) -> Listed {
    let process = running
        .and_then(|spawned| spawned.identity().cloned())
        .filter(Identity::is_alive);
    Listed {
        name: name.to_owned(),
        process,
        addresses,
        connections,
        log_file,
    }
}
