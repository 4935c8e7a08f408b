//! The bus. Everything that goes over it only wakes; without it everything happens a second later.

use async_nats::{Client, ConnectError, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use sekisho_service::settings::{Secret, Value};
use url::Url;

use crate::start::NAME;

/// Where the bus is, and as whom to connect: `nats://user:password@host:port`.
#[derive(Debug, Clone)]
pub struct NatsUrl {
    server: ServerAddr,
    login: Option<(String, Secret<String>)>,
}

impl Value for NatsUrl {
    const KIND: &'static str = "NATS URL";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        read(text).ok_or_else(|| "is not nats://user:password@host:port".to_owned())
    }
}

/// The client does not look for a login in the URL, so it is taken out here.
fn read(text: &str) -> Option<NatsUrl> {
    let mut url = Url::parse(text).ok()?;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(String::from);
    let login = match url.password() {
        Some(password) => Some((decoded(url.username())?, Secret::new(decoded(password)?))),
        None if url.username().is_empty() => None,
        None => return None,
    };
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let server = ServerAddr::from_url(url).ok()?;
    (!server.host().is_empty()).then_some(NatsUrl { server, login })
}

/// A client that connects in the background, now and whenever the connection is lost.
///
/// # Errors
/// [`ConnectError`], for options that make no sense; a bus that is away is none.
pub async fn connect(url: NatsUrl) -> Result<Client, ConnectError> {
    let options = match url.login {
        Some((user, password)) => ConnectOptions::with_user_and_password(user, password.expose().clone()),
        None => ConnectOptions::new(),
    };
    options
        .name(NAME)
        .custom_inbox_prefix(format!("_INBOX.{NAME}"))
        .retry_on_initial_connect()
        .connect(url.server)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_taken_out_of_the_url() {
        let url = NatsUrl::parse("nats://otp:c%40nary@127.0.0.1:4222").unwrap();
        assert!(!format!("{url:?}").contains("nary"));
        let (user, password) = url.login.unwrap();
        assert_eq!((user.as_str(), password.expose().as_str()), ("otp", "c@nary"));
        assert!(NatsUrl::parse("nats://127.0.0.1:4222").unwrap().login.is_none());
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
            assert!(NatsUrl::parse(other).is_err(), "{other}");
        }
    }
}
