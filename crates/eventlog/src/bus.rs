//! The client of the bus.

use async_nats::{Client, ConnectError, ConnectOptions};

/// A client that connects in the background, now and whenever the connection is lost. Its inbox is its own, as the
/// bus's permissions ask.
///
/// # Errors
/// [`ConnectError`], for an address that makes no sense; a bus that is away is none.
pub async fn connect(server: &str, login: Option<(&str, &str)>, name: &str) -> Result<Client, ConnectError> {
    let options = match login {
        Some((user, password)) => {
            ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
        }
        None => ConnectOptions::new(),
    };
    options
        .name(name)
        .custom_inbox_prefix(format!("_INBOX.{name}"))
        .retry_on_initial_connect()
        .connect(server)
        .await
}
