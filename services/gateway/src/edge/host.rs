//! Which host a request was meant for.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request};
use http::header;
use http::request::Parts;
use http::uri::Authority;

use super::Language;
use crate::texts::Texts;

/// The names under which browsers may reach the portal.
#[derive(Clone, Debug)]
pub struct Hosts(BTreeSet<String>);

/// The host that a request was meant for, and the language of whoever reads the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Name and port as the browser sent them, in lower case.
    pub authority: String,
    /// The name alone.
    pub host: String,
    /// The second host, which takes over when the first is away.
    pub standby: bool,
    /// A name of this very machine: no TLS, so no HSTS.
    pub local: bool,
    /// What the browser prefers.
    pub language: Language,
}

impl Site {
    /// Whether a name is the second host's.
    pub fn is_standby(host: &str) -> bool {
        host.starts_with("portal2.")
    }

    /// None of ours, for a page that says so.
    pub fn unknown(language: Language) -> Self {
        Self {
            language,
            ..Self::default()
        }
    }
}

impl Hosts {
    /// Host names without port; their case does not matter.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// The site that a request was meant for; `None` when it is not one of ours or when the request names two.
    pub fn site(&self, request: &Request) -> Option<Site> {
        let mut named = request.headers().get_all(header::HOST).iter();
        let in_header = match (named.next(), named.next()) {
            (None, _) => None,
            (Some(value), None) => Some(value.to_str().ok()?.parse::<Authority>().ok()?),
            (Some(_), Some(_)) => return None,
        };
        let in_uri = request.uri().authority().cloned();
        let authority = match (in_header, in_uri) {
            (Some(header), Some(uri)) if header != uri => return None,
            (header, uri) => header.or(uri)?,
        };
        self.known(&authority, Language::of(request.headers()))
    }

    fn known(&self, authority: &Authority, language: Language) -> Option<Site> {
        let host = authority.host().to_ascii_lowercase();
        if authority.as_str().contains('@') || !self.0.contains(&host) {
            return None;
        }
        Some(Site {
            authority: authority.as_str().to_ascii_lowercase(),
            standby: Site::is_standby(&host),
            local: host == "localhost" || host.ends_with(".localhost"),
            host,
            language,
        })
    }
}

impl Site {
    /// What the pages say, in its language.
    pub fn texts(&self) -> &'static Texts {
        self.language.texts()
    }

    /// The site that [`super::guard`] found.
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get().cloned().unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for Site {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn site(uri: &str, hosts: &[&str]) -> Option<Site> {
        let ours = [
            "portal.example",
            "portal2.example",
            "localhost",
            "portal2.localhost",
        ];
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        Hosts::new(ours.map(String::from)).site(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn the_hosts_are_known_in_any_case_and_with_any_port() {
        assert_eq!(
            site("/", &["Portal.Example"]).unwrap().authority,
            "portal.example"
        );
        assert!(site("/", &["portal.example:8443"]).is_some());
    }

    #[test]
    fn other_hosts_and_strange_ones_are_not() {
        for host in [
            "evil.example",
            "portal.example.evil",
            "portal.example.",
            "u@portal.example",
            "",
            "a b",
            "[::1]",
        ] {
            assert_eq!(site("/", &[host]), None, "{host}");
        }
        assert_eq!(site("/", &[]), None);
        assert_eq!(site("/", &["portal.example", "portal.example"]), None);
    }

    #[test]
    fn an_absolute_address_and_the_header_must_agree() {
        assert!(site("http://portal.example/", &[]).is_some());
        assert!(site("http://portal.example/", &["portal.example"]).is_some());
        assert_eq!(site("http://evil.example/", &["portal.example"]), None);
        assert_eq!(site("http://portal.example/", &["evil.example"]), None);
    }

    #[test]
    fn the_second_host_and_local_names_are_told_apart() {
        let standby = site("/", &["portal2.localhost:8080"]).unwrap();
        assert!(standby.standby && standby.local);
        let main = site("/", &["portal.example"]).unwrap();
        assert!(!main.standby && !main.local);
    }
}
