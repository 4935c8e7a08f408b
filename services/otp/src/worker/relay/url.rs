//! Where the relay is, as configuration says it.

use std::fmt;

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use sekisho_service::settings::{Value, is_loopback};
use url::Url;

/// `smtp://…?tls=required` (STARTTLS, port 587), `smtps://…` (TLS, port 465), or on loopback `smtp://host:port` (no encryption, port
/// 25), with `user:password@` before the host if the relay asks for it, percent-encoded. Beyond loopback `?tls=none` says that codes
/// may be read on the way; a password never may.
#[derive(Clone)]
pub struct RelayUrl {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<Credentials>,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// None, and nobody has said that this is wanted.
    Unsaid,
    None,
    StartTls,
    Tls,
}

impl Value for RelayUrl {
    const KIND: &'static str = "SMTP URL";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let url = read(text).ok_or_else(|| {
            "is not smtp://host:port?tls=required, smtps://host:port or, on loopback, smtp://host:port"
                .to_owned()
        })?;
        let is_open = !url.is_encrypted() && !is_loopback(&url.host);
        match url.security {
            _ if is_open && url.login.is_some() => Err(
                "sends a password without encryption; add ?tls=required or use smtps://, or leave the login out"
                    .to_owned(),
            ),
            Security::Unsaid if is_open => Err(
                "sends codes without encryption; add ?tls=required or use smtps://, or add ?tls=none if nobody reads the network between"
                    .to_owned(),
            ),
            Security::Unsaid | Security::None | Security::StartTls | Security::Tls => Ok(url),
        }
    }
}

impl RelayUrl {
    /// Whether mails go to the relay under TLS.
    pub fn is_encrypted(&self) -> bool {
        match self.security {
            Security::Unsaid | Security::None => false,
            Security::StartTls | Security::Tls => true,
        }
    }
}

fn read(text: &str) -> Option<RelayUrl> {
    let url = Url::parse(text).ok()?;
    let (security, port) = match (url.scheme(), url.query()) {
        ("smtp", None) => (Security::Unsaid, 25),
        ("smtp", Some("tls=none")) => (Security::None, 25),
        ("smtp", Some("tls=required")) => (Security::StartTls, 587),
        ("smtps", None) => (Security::Tls, 465),
        _ => return None,
    };
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(String::from);
    let login = match url.password() {
        Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
        None if url.username().is_empty() => None,
        None => return None,
    };
    let is_bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
    // An IPv6 address stands in brackets, which a socket does not take.
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    (is_bare && !host.is_empty()).then(|| RelayUrl {
        host,
        port: url.port().unwrap_or(port),
        security,
        login,
    })
}

impl fmt::Debug for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayUrl")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, u16, Security, bool)> {
        let url = RelayUrl::parse(text).ok()?;
        Some((url.host, url.port, url.security, url.login.is_some()))
    }

    #[test]
    fn a_relay_is_named_by_a_url() {
        let expected = |host: &str, port, security, login| Some((host.to_owned(), port, security, login));
        assert_eq!(
            parts("smtp://127.0.0.1:1025"),
            expected("127.0.0.1", 1025, Security::Unsaid, false)
        );
        assert_eq!(
            parts("smtp://[::1]:1025/"),
            expected("::1", 1025, Security::Unsaid, false)
        );
        assert_eq!(
            parts("smtp://relay?tls=none"),
            expected("relay", 25, Security::None, false)
        );
        assert_eq!(
            parts("smtp://u:p%40ss@relay?tls=required"),
            expected("relay", 587, Security::StartTls, true)
        );
        assert_eq!(
            parts("smtps://relay"),
            expected("relay", 465, Security::Tls, false)
        );
    }

    #[test]
    fn another_url_is_a_mistake() {
        let others = [
            "relay:25",
            "http://relay",
            "smtp://relay?tls=maybe",
            "smtps://relay?tls=required",
            "smtp://user@relay",
            "smtp://relay/path",
            "smtp://",
        ];
        for other in others {
            assert_eq!(parts(other), None, "{other}");
        }
    }

    #[test]
    fn a_password_leaves_this_machine_only_encrypted() {
        for open in [
            "smtp://user:canary@relay?tls=none",
            "smtp://user:canary@relay",
            "smtp://user:canary@relay:587",
            "smtp://user:canary@192.0.2.1",
            "smtp://user:canary@[2001:db8::1]:25",
            "smtp://user:canary@localhost.example",
            "smtp://user:canary@127.0.0.1.example",
        ] {
            let mistake = RelayUrl::parse(open).unwrap_err();
            assert!(mistake.contains("without encryption"), "{open}: {mistake}");
            assert!(!mistake.contains("canary"), "{mistake}");
        }
        for closed in [
            "smtp://user:canary@relay?tls=required",
            "smtps://user:canary@relay",
            "smtp://user:canary@localhost:1025",
            "smtp://user:canary@127.0.0.1:1025",
            "smtp://user:canary@127.9.9.9",
            "smtp://user:canary@[::1]:1025",
        ] {
            assert!(parts(closed).is_some(), "{closed}");
        }
    }

    #[test]
    fn codes_leave_this_machine_only_encrypted_unless_somebody_says_otherwise() {
        for open in [
            "smtp://relay",
            "smtp://relay:1025",
            "smtp://192.0.2.1",
            "smtp://localhost.example",
        ] {
            let mistake = RelayUrl::parse(open).unwrap_err();
            assert!(mistake.contains("codes without encryption"), "{open}: {mistake}");
        }
        for said in [
            "smtp://relay?tls=none",
            "smtp://relay?tls=required",
            "smtps://relay",
            "smtp://localhost",
        ] {
            assert!(parts(said).is_some(), "{said}");
        }
    }

    #[test]
    fn the_password_is_never_printed() {
        let url = RelayUrl::parse("smtps://user:canary@relay").unwrap();
        assert!(!format!("{url:?}").contains("canary"));
    }
}
