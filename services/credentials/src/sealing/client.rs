//! What a browser looked like.

use std::fmt;
use std::net::IpAddr;

use prost::Message;
use sekisho_proto::credentials::v1::Client;

/// The longest browser name that is kept, in code points.
const LONGEST: usize = 256;

/// The browser's side of an attempt. Never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Seen {
    address: Option<IpAddr>,
    user_agent: String,
}

impl Seen {
    /// The address, if it is one; the same text for the same machine, however it was written.
    pub(super) fn address(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// The network that counts as one client: the address, of IPv6 the upper 64 bits, which one customer has.
    pub(super) fn network(&self) -> Option<Vec<u8>> {
        self.address.map(|address| match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets()[..8].to_vec(),
        })
    }

    /// The bytes that are sealed.
    pub(super) fn encode(&self) -> Vec<u8> {
        Client {
            address: self.address().unwrap_or_default(),
            user_agent: self.user_agent.clone(),
        }
        .encode_to_vec()
    }

    /// Reads sealed bytes back.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        Client::decode(bytes).ok().map(Self::from)
    }
}

impl From<Client> for Seen {
    fn from(client: Client) -> Self {
        Self {
            address: client
                .address
                .parse::<IpAddr>()
                .ok()
                .map(|address| address.to_canonical()),
            user_agent: client.user_agent.chars().take(LONGEST).collect(),
        }
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(address: &str, user_agent: &str) -> Seen {
        Seen::from(Client {
            address: address.to_owned(),
            user_agent: user_agent.to_owned(),
        })
    }

    #[test]
    fn an_address_has_one_spelling() {
        assert_eq!(seen("::ffff:192.0.2.1", ""), seen("192.0.2.1", ""));
        assert_eq!(
            seen("2001:DB8:0:0::1", "").address().as_deref(),
            Some("2001:db8::1")
        );
        assert_eq!(seen("unknown, 192.0.2.1", "").address(), None);
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_client() {
        let network = |address| seen(address, "").network();
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_eq!(network("unknown"), None);
    }

    #[test]
    fn a_long_browser_name_is_cut() {
        assert_eq!(seen("", &"漢".repeat(300)).user_agent.chars().count(), 256);
    }

    #[test]
    fn a_browser_is_never_printed() {
        assert_eq!(format!("{:?}", seen("192.0.2.1", "canary")), "[redacted]");
    }
}
