//! What a stack is to be.

use std::fmt;

use crate::Service;

/// How browsers reach the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// As behind an ingress.
    Http,
    /// The gateway speaks TLS itself, with a certificate of our own.
    Https,
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// What a [`Stack`](crate::Stack) is to be; the default is one replica of every service on free ports.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four switches that have nothing to do with each other"
)]
pub struct StackOptions {
    /// A word for its folder.
    pub name: String,
    /// How many replicas of a service, where that is not one. None at all is possible.
    pub replicas: Vec<(Service, usize)>,
    /// The ports of the first gateway, of the mailbox's page and of the provider of NCR accounts; free ones without.
    pub ports: Option<[u16; 3]>,
    /// More settings of a service by their full names (`SEKISHO_SESSIONS_IDLE_TIMEOUT`); they win over the usual ones.
    pub environment: Vec<(Service, String, String)>,
    /// Whether services accept a database whose clock has been put forward.
    pub test_clock: bool,
    /// Whether the demo accounts are registered.
    pub accounts: bool,
    /// Whether there is a provider of NCR accounts.
    pub provider: bool,
    /// Whether the data stays, as in `cargo dev up`.
    pub kept: bool,
    /// How browsers reach the portal.
    pub scheme: Scheme,
    /// The superuser's connection string of a PostgreSQL that somebody else runs, with a database for the log.
    pub postgres: Option<String>,
    /// The connection string, for all services, of a NATS that somebody else runs.
    pub nats: Option<String>,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            name: "stack".to_owned(),
            replicas: Vec::new(),
            ports: None,
            environment: Vec::new(),
            test_clock: false,
            accounts: true,
            provider: false,
            kept: false,
            scheme: Scheme::Http,
            postgres: None,
            nats: None,
        }
    }
}

impl StackOptions {
    /// What `cargo dev up` starts.
    pub fn for_people(ports: [u16; 3]) -> Self {
        Self {
            name: "up".to_owned(),
            ports: Some(ports),
            kept: true,
            ..Self::default()
        }
    }

    pub(crate) fn count(&self, service: Service) -> usize {
        self.replicas
            .iter()
            .find(|(named, _)| *named == service)
            .map_or(1, |(_, count)| *count)
    }
}
