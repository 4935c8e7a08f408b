//! What the gateway is told by its environment, prefix `SEKISHO_GATEWAY_`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use http::Uri;
use sekisho_service::settings::{KeyRing, Reader, Settings};
use sekisho_service::tls::{BrowserTls, TlsSettings};

use crate::notes::Disclosure;

/// The settings of the gateway.
#[derive(Debug)]
pub struct Config {
    /// For browsers.
    pub listen: SocketAddr,
    /// What browsers are shown; without it plain HTTP behind the ingress.
    pub browser_tls: Option<BrowserTls>,
    /// For health checks.
    pub internal_listen: SocketAddr,
    /// Who the gateway is to the services.
    pub tls: TlsSettings,
    /// One URL per replica of credentials.
    pub credentials: Vec<Uri>,
    /// One URL per replica of otp.
    pub otp: Vec<Uri>,
    /// One URL per replica of sessions.
    pub sessions: Vec<Uri>,
    /// The keys of cookies and forms.
    pub cookie_keys: KeyRing,
    /// The names under which browsers may come, without port.
    pub hosts: Vec<String>,
    /// Whether an unknown id and a wrong password are told apart.
    pub disclosure: Disclosure,
    /// What the top page shows to everybody.
    pub board: Option<PathBuf>,
    /// Reverse proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Settings for Config {
    fn read(reader: &mut Reader) -> Option<Self> {
        const HOSTS: &str = "portal.internal.gtol.ncc.go.jp,portal2.internal.gtol.ncc.go.jp";
        let listen = reader.required("LISTEN", "where browsers connect");
        let browser_tls = BrowserTls::read(reader);
        let internal_listen = reader.required(
            "INTERNAL_LISTEN",
            "where /health/live and /health/ready are served",
        );
        let tls = TlsSettings::read(reader);
        let credentials = reader.required(
            "CREDENTIALS_URL",
            "https://host:port of each replica of credentials",
        );
        let otp = reader.required("OTP_URL", "https://host:port of each replica of otp");
        let sessions = reader.required("SESSIONS_URL", "https://host:port of each replica of sessions");
        let cookie_keys = reader.required(
            "COOKIE_KEY_FILE",
            "the keys that seal cookies, the current one first",
        );
        let hosts = reader.or(
            "HOSTS",
            HOSTS,
            "the names under which browsers may come, without port",
        );
        let disclosure = reader.choice(
            "ERROR_DISCLOSURE",
            &[("seed", Disclosure::Seed), ("generic", Disclosure::Generic)],
            "seed",
            "whether an unknown login id and a wrong password have two texts, as in the manual, or one",
        );
        let board =
            "TOML file with the announcements and links of the top page; read again whenever it changes";
        let board = reader.optional::<PathBuf>("BOARD_FILE", board);
        let proxies = "addresses of reverse proxies whose X-Forwarded-For counts; without it, nobody's";
        let trusted_proxies = reader.optional::<Vec<IpAddr>>("TRUSTED_PROXIES", proxies);
        Some(Self {
            listen: listen?,
            browser_tls: browser_tls?,
            internal_listen: internal_listen?,
            tls: tls?,
            credentials: credentials?,
            otp: otp?,
            sessions: sessions?,
            cookie_keys: cookie_keys?,
            hosts: hosts?,
            disclosure: disclosure?,
            board: board?,
            trusted_proxies: trusted_proxies?.unwrap_or_default(),
        })
    }
}
