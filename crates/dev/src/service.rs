//! The services, and the environment that each is started with.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::provider;

/// One of our services, in the order in which they are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Accounts and passwords.
    Credentials,
    /// Codes by mail.
    Otp,
    /// Sessions.
    Sessions,
    /// What browsers talk to.
    Gateway,
}

impl Service {
    /// All of them, in the order in which they are started.
    pub const ALL: [Self; 4] = [Self::Credentials, Self::Otp, Self::Sessions, Self::Gateway];

    /// Its name, which is also its role in certificates and its user on the bus.
    pub fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Otp => "otp",
            Self::Sessions => "sessions",
            Self::Gateway => "gateway",
        }
    }

    /// The name of its program.
    pub fn program(self) -> String {
        format!("sekisho-{}", self.name())
    }

    /// Whether it has a second listener, for administration or, at the gateway, for health.
    pub(crate) fn has_second_listener(self) -> bool {
        self != Self::Otp
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Pairs of a service's name and its connection string.
type Urls = Vec<(&'static str, String)>;

/// Everything outside of a service that its settings name.
pub(crate) struct Surroundings {
    pub(crate) keys: PathBuf,
    /// What the top page shows.
    pub(crate) board: PathBuf,
    /// The connection string of each database role.
    pub(crate) database: Urls,
    /// The connection string of each user of the bus.
    pub(crate) bus: Urls,
    pub(crate) smtp: SocketAddr,
    /// The issuer of NCR accounts and the origins that people come to it from, if there is one.
    pub(crate) provider: Option<(String, String)>,
    /// The addresses of all replicas of each service.
    pub(crate) replicas: Vec<(Service, SocketAddr)>,
    pub(crate) test_clock: bool,
    /// Whether the portal speaks TLS.
    pub(crate) https: bool,
}

impl Surroundings {
    /// The settings of one replica, by their full names.
    pub(crate) fn settings(
        &self,
        service: Service,
        listen: SocketAddr,
        second: Option<SocketAddr>,
    ) -> Vec<(String, String)> {
        let mut settings = vec![
            ("LISTEN", listen.to_string()),
            ("TLS_CERTIFICATE", self.key(&format!("{service}.pem"))),
            ("TLS_KEY", self.key(&format!("{service}.key"))),
            ("TLS_CA", self.key("ca.pem")),
            ("DRAIN_TIMEOUT", "20s".to_owned()),
        ];
        settings.extend(self.own(service));
        if service != Service::Gateway {
            settings.push(("DATABASE_URL", of(&self.database, service)));
            settings.push(("NATS_URL", of(&self.bus, service)));
            settings.push((
                "TEST_CLOCK",
                if self.test_clock { "allowed" } else { "refused" }.to_owned(),
            ));
        }
        if let Some(address) = second {
            let name = if service == Service::Gateway {
                "INTERNAL_LISTEN"
            } else {
                "ADMIN_LISTEN"
            };
            settings.push((name, address.to_string()));
        }
        let prefix = format!("SEKISHO_{}_", service.name().to_uppercase());
        settings
            .into_iter()
            .map(|(name, value)| (format!("{prefix}{name}"), value))
            .collect()
    }

    fn own(&self, service: Service) -> Vec<(&'static str, String)> {
        match service {
            Service::Credentials => {
                let mut settings = vec![
                    ("MASTER_KEY_FILE", self.key("credentials-master.keys")),
                    ("PEPPER_FILE", self.key("credentials-pepper.keys")),
                    ("PHANTOM_KEY_FILE", self.key("credentials-phantom.keys")),
                ];
                if let Some((issuer, origins)) = &self.provider {
                    settings.push(("NCR_ISSUER", issuer.clone()));
                    settings.push(("NCR_ORIGINS", origins.clone()));
                    settings.push(("NCR_CLIENT_ID", provider::CLIENT_ID.to_owned()));
                    settings.push(("NCR_CLIENT_SECRET_FILE", self.key(provider::SECRET)));
                }
                settings
            }
            Service::Otp => vec![
                ("KEY_FILE", self.key("otp.keys")),
                ("CREDENTIALS_URL", self.urls(Service::Credentials)),
                ("SMTP_URL", format!("smtp://{}", self.smtp)),
            ],
            Service::Sessions => vec![("KEY_FILE", self.key("sessions.keys"))],
            Service::Gateway => {
                let mut settings = vec![
                    ("CREDENTIALS_URL", self.urls(Service::Credentials)),
                    ("OTP_URL", self.urls(Service::Otp)),
                    ("SESSIONS_URL", self.urls(Service::Sessions)),
                    ("COOKIE_KEY_FILE", self.key("gateway-cookie.keys")),
                    ("HOSTS", "localhost,portal2.localhost,127.0.0.1".to_owned()),
                    ("BOARD_FILE", self.board.display().to_string()),
                ];
                if self.https {
                    settings.push(("BROWSER_TLS_CERTIFICATE", self.key("portal.pem")));
                    settings.push(("BROWSER_TLS_KEY", self.key("portal.key")));
                }
                settings
            }
        }
    }

    fn key(&self, file: &str) -> String {
        Path::new(&self.keys).join(file).display().to_string()
    }

    fn urls(&self, service: Service) -> String {
        let replicas = self.replicas.iter().filter(|(replica, _)| *replica == service);
        replicas
            .map(|(_, address)| format!("https://{address}"))
            .collect::<Vec<_>>()
            .join(",")
    }
}

fn of(urls: &Urls, service: Service) -> String {
    urls.iter()
        .find(|(name, _)| *name == service.name())
        .map_or_else(String::new, |(_, url)| url.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_told_every_replica_of_the_services_that_it_calls() {
        let replicas =
            [7001, 7002].map(|port| (Service::Credentials, SocketAddr::from(([127, 0, 0, 1], port))));
        let surroundings = Surroundings {
            keys: PathBuf::from("/keys"),
            board: PathBuf::from("/board.toml"),
            database: vec![("otp", "postgres://otp".to_owned())],
            bus: vec![("otp", "nats://otp".to_owned())],
            smtp: SocketAddr::from(([127, 0, 0, 1], 25)),
            provider: None,
            replicas: replicas.to_vec(),
            test_clock: false,
            https: false,
        };
        let settings = surroundings.settings(Service::Otp, SocketAddr::from(([127, 0, 0, 1], 7003)), None);
        let value = |name: &str| {
            settings
                .iter()
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(
            value("SEKISHO_OTP_CREDENTIALS_URL"),
            Some("https://127.0.0.1:7001,https://127.0.0.1:7002")
        );
        assert_eq!(value("SEKISHO_OTP_DATABASE_URL"), Some("postgres://otp"));
        assert_eq!(value("SEKISHO_OTP_TEST_CLOCK"), Some("refused"));
        assert_eq!(value("SEKISHO_OTP_TLS_KEY"), Some("/keys/otp.key"));
        assert_eq!(value("SEKISHO_OTP_ADMIN_LISTEN"), None);
    }
}
