//! Where a request comes from, for the account's history.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap, header};

use crate::Gateway;

/// How much of a browser's name is kept, in characters.
const LONGEST_BROWSER: usize = 400;

/// Whose word on the client's address counts: our own reverse proxies.
#[derive(Clone, Debug, Default)]
pub struct Proxies(BTreeSet<IpAddr>);

/// The browser's side of a request. It never prints itself: addresses belong to no log line.
pub struct Client {
    /// Its address, or its reverse proxy's when that says nothing; empty in tests without a connection.
    pub address: String,
    /// What the browser calls itself, cut to 400 characters.
    pub browser: String,
}

impl Proxies {
    /// The reverse proxies, by address.
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(
            addresses
                .into_iter()
                .map(|address| address.to_canonical())
                .collect(),
        )
    }

    /// The address of the client: the peer, unless that is a proxy of ours; then the last address in
    /// `X-Forwarded-For` that is not one.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in forwarded(headers).into_iter().rev() {
            if !self.0.contains(&client) {
                break;
            }
            match hop {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }
}

/// All hops that the proxies noted, first to last; `None` for what is no address.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let values = headers.get_all("x-forwarded-for").into_iter();
    let texts = values.flat_map(|value| value.to_str().unwrap_or("?").split(','));
    texts
        .map(|text| {
            text.trim()
                .parse()
                .ok()
                .map(|address: IpAddr| address.to_canonical())
        })
        .collect()
}

/// The address that a request comes from; `None` in tests without a connection.
pub(super) fn address(proxies: &Proxies, headers: &HeaderMap, extensions: &Extensions) -> Option<String> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(proxies.client(peer.ip(), headers).to_string())
}

impl FromRequestParts<Arc<Gateway>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Infallible> {
        let address = address(&gateway.proxies, &parts.headers, &parts.extensions);
        let browser = parts
            .headers
            .get(header::USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        Ok(Self {
            address: address.unwrap_or_default(),
            browser: browser
                .unwrap_or_default()
                .chars()
                .take(LONGEST_BROWSER)
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies::new(trusted.iter().map(|address| address.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_word_of_a_stranger_about_addresses_does_not_count() {
        assert_eq!(client(&[], "192.0.2.7", &["203.0.113.9"]), "192.0.2.7");
        assert_eq!(
            client(&["198.51.100.1"], "192.0.2.7", &["203.0.113.9"]),
            "192.0.2.7"
        );
    }

    #[test]
    fn behind_proxies_the_last_address_that_is_none_of_them_counts() {
        let ours = ["198.51.100.1", "198.51.100.2"];
        assert_eq!(
            client(&ours, "198.51.100.1", &["6.6.6.6, 203.0.113.9, 198.51.100.2"]),
            "203.0.113.9"
        );
        assert_eq!(
            client(&ours, "198.51.100.1", &["6.6.6.6", "203.0.113.9"]),
            "203.0.113.9"
        );
        assert_eq!(
            client(&ours, "::ffff:198.51.100.1", &["203.0.113.9"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        assert_eq!(
            client(&["198.51.100.1"], "198.51.100.1", &["203.0.113.9, unknown"]),
            "198.51.100.1"
        );
        assert_eq!(client(&["198.51.100.1"], "198.51.100.1", &[]), "198.51.100.1");
    }
}
