//! One connection to the relay. Every step has a time-out.

use std::io;
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use sekisho_proto::otp::v1::mail_failed::Class;
use tokio::time::{Instant, timeout};

use super::super::failure::Failure;
use super::super::times::{COMMAND, CONNECT, CONTENT, GREETING, LAST_LOOK};
use super::stream::{Encrypted, Stream};
use super::tls::Tls;
use super::url::RelayUrl;

/// A connection that is ready for the next mail, or that something has gone wrong with.
pub(super) struct Line {
    connection: AsyncSmtpConnection,
    is_usable: bool,
}

impl Line {
    /// Connects and signs in. Whatever fails here says nothing about the mail: it counts as unreachable.
    pub async fn connect(url: &RelayUrl, tls: &Tls) -> Result<Self, Failure> {
        let stream = within(CONNECT, Stream::connect((url.host.as_str(), url.port))).await?;
        let connection = within(GREETING, greet(stream, url, tls)).await;
        let unreachable = |failure: Failure| Failure {
            class: Class::Unreachable,
            ..failure
        };
        Ok(Self {
            connection: connection.map_err(unreachable)?,
            is_usable: true,
        })
    }

    /// Whether the relay still listens.
    pub async fn answers(&mut self) -> bool {
        let is_alive = timeout(COMMAND, self.connection.test_connected()).await;
        is_alive.unwrap_or(false)
    }

    /// Whether the next mail may go over this connection.
    pub fn is_usable(&self) -> bool {
        self.is_usable && !self.connection.has_broken()
    }

    /// MAIL, RCPT, the last look, DATA.
    pub async fn hand_over(
        &mut self,
        letter: &Message,
        last_look: impl Future<Output = Result<(), Failure>>,
    ) -> Result<u16, Failure> {
        // Until the relay has the whole letter; also if this future is dropped half-way.
        self.is_usable = false;
        let bytes = letter.formatted();
        let parameters = self.parameters(letter, &bytes)?;
        let envelope = letter.envelope();
        self.command(Mail::new(envelope.from().cloned(), parameters))
            .await?;
        for recipient in envelope.to() {
            self.command(Rcpt::new(recipient.clone(), Vec::new())).await?;
        }
        let looked = Instant::now();
        last_look.await?;
        self.command(Data).await?;
        // A process that stood still has missed its own time-outs, and the look is as old as that.
        if looked.elapsed() > LAST_LOOK + COMMAND {
            return Err(Failure::of(Class::Unreachable));
        }
        let reply = within(CONTENT, self.connection.message(&bytes)).await;
        let reply = reply.map_err(after_the_letter)?;
        self.is_usable = true;
        Ok(reply.code().into())
    }

    async fn command(&mut self, command: impl std::fmt::Display) -> Result<Response, Failure> {
        within(COMMAND, self.connection.command(command)).await
    }

    /// What RFC 6531 and RFC 6152 ask for; a relay that does not know it cannot take such a mail.
    fn parameters(&self, letter: &Message, bytes: &[u8]) -> Result<Vec<MailParameter>, Failure> {
        let known = self.connection.server_info();
        let envelope = letter.envelope();
        let mut addresses = envelope.from().into_iter().chain(envelope.to());
        let needed = [
            (
                addresses.any(|address| !address.user().is_ascii() || !address.domain().is_ascii()),
                Extension::SmtpUtfEight,
                MailParameter::SmtpUtfEight,
            ),
            (
                !bytes.is_ascii(),
                Extension::EightBitMime,
                MailParameter::Body(MailBodyParameter::EightBitMime),
            ),
        ];
        let mut parameters = Vec::new();
        for (is_needed, extension, parameter) in needed {
            if !is_needed {
                continue;
            }
            if !known.supports_feature(extension) {
                return Err(Failure::of(Class::Permanent));
            }
            parameters.push(parameter);
        }
        Ok(parameters)
    }
}

/// Until the relay listens to mails.
async fn greet(stream: Stream, url: &RelayUrl, tls: &Tls) -> Result<AsyncSmtpConnection, Failure> {
    let hello = ClientId::default();
    let mut connection = match tls {
        Tls::None | Tls::Start(_) => {
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await?
        }
        Tls::AtOnce(connector, name) => {
            let encrypted = Encrypted(connector.connect(name.clone(), stream).await?);
            AsyncSmtpConnection::connect_with_transport(Box::new(encrypted), &hello).await?
        }
    };
    if let Tls::Start(parameters) = tls {
        connection.starttls(parameters.clone(), &hello).await?;
    }
    if let Some(login) = &url.login {
        connection.auth(DEFAULT_MECHANISMS, login).await?;
    }
    Ok(connection)
}

async fn within<T, E: Into<Failure>>(
    limit: Duration,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    match timeout(limit, step).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(Failure::of(Class::Unreachable)),
    }
}

/// A relay that has the letter and says nothing may have taken it.
fn after_the_letter(failure: Failure) -> Failure {
    match failure.class {
        Class::Unreachable => Failure::of(Class::InDoubt),
        _ => failure,
    }
}

impl From<Error> for Failure {
    /// The relay's text is dropped: it likes to repeat the address.
    fn from(error: Error) -> Self {
        let class = if error.is_transient() {
            Class::Transient
        } else if error.is_permanent() {
            Class::Permanent
        } else {
            Class::Unreachable
        };
        let reply = error.status().map_or(0, u16::from);
        Self { class, reply }
    }
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::of(Class::Unreachable)
    }
}
