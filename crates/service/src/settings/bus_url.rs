//! Where the bus is.

use percent_encoding::percent_decode_str;
use url::Url;

use super::{Secret, Value, is_loopback};

/// Where the bus is, and as whom to connect: `nats://user:password@host:port` on this machine, `tls://…` beyond it. Never
/// printed with its password.
#[derive(Debug, Clone)]
pub struct BusUrl {
    server: String,
    login: Option<(String, Secret<String>)>,
    /// Encrypted, or on this machine.
    is_private: bool,
}

impl BusUrl {
    /// The address without the login.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// User and password.
    pub fn login(&self) -> Option<(&str, &str)> {
        let (user, password) = self.login.as_ref()?;
        Some((user, password.expose()))
    }
}

impl Value for BusUrl {
    const KIND: &'static str = "NATS URL";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let url = read(text).ok_or_else(|| "is not nats://user:password@host:port".to_owned())?;
        if url.login.is_some() && !url.is_private {
            return Err("sends a password without encryption; use tls://".to_owned());
        }
        Ok(url)
    }
}

/// The client of the bus does not look for a login in the URL, so it is taken out here.
fn read(text: &str) -> Option<BusUrl> {
    let mut url = Url::parse(text).ok()?;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(String::from);
    let login = match url.password() {
        Some(password) => Some((decoded(url.username())?, Secret::new(decoded(password)?))),
        None if url.username().is_empty() => None,
        None => return None,
    };
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let named = matches!(url.scheme(), "nats" | "tls") && url.host_str().is_some_and(|host| !host.is_empty());
    let is_private = url.scheme() == "tls" || url.host_str().is_some_and(is_loopback);
    named.then(|| BusUrl {
        server: url.to_string(),
        login,
        is_private,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_taken_out_of_the_url() {
        let url = BusUrl::parse("nats://otp:c%40nary@127.0.0.1:4222").unwrap();
        assert!(!format!("{url:?}").contains("nary"));
        assert_eq!(url.login(), Some(("otp", "c@nary")));
        assert_eq!(url.server(), "nats://127.0.0.1:4222");
        assert!(BusUrl::parse("nats://127.0.0.1:4222").unwrap().login().is_none());
    }

    #[test]
    fn a_password_leaves_this_machine_only_encrypted() {
        assert!(BusUrl::parse("tls://otp:canary@nats:4222").is_ok());
        assert!(BusUrl::parse("nats://nats:4222").is_ok());
        assert!(BusUrl::parse("nats://otp:canary@localhost").is_ok());
        let refused = BusUrl::parse("nats://otp:canary@nats:4222").unwrap_err();
        assert!(refused.contains("tls://") && !refused.contains("canary"));
    }

    #[test]
    fn another_url_is_a_mistake() {
        for other in [
            "",
            ":canary",
            "http://127.0.0.1",
            "nats://user@127.0.0.1",
            "nats://",
        ] {
            assert!(BusUrl::parse(other).is_err(), "{other}");
        }
    }
}
