//! Letters as messages (RFC 5322).

use std::time::SystemTime;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use sekisho_service::settings::{Secret, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::charset::Charset;
use crate::content::{Content, Written, html};

/// Who the mails are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFrom(Mailbox);

/// Writes letters.
#[derive(Debug, Clone)]
pub struct Letters {
    from: MailFrom,
    subject: String,
    charset: Charset,
}

/// A letter to be written.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// Names the mail: each attempt has the same, so that a copy can be told.
    pub id: Uuid,
    /// When what it is about happened.
    pub at: OffsetDateTime,
    /// What it says.
    pub content: Content<'a>,
}

/// A letter that cannot be written. Does not say to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// The address on file is none.
    #[error("the address on file is not an address")]
    Address,
    /// Something that this version has no words for.
    #[error("this version has no words for it")]
    Topic,
    /// A character that the configured charset does not have.
    #[error("the charset does not have all its characters")]
    Charset,
    /// The parts do not make a message.
    #[error("the parts do not make a message")]
    Message,
}

impl Value for MailFrom {
    const KIND: &'static str = "mail address";

    fn parse(text: &str) -> Result<Self, String> {
        let problem = |_| "is not a mail address, such as gtol@example.jp".to_owned();
        text.parse().map(Self).map_err(problem)
    }
}

impl Letters {
    /// Letters with a sender, and the subject of those that bring codes.
    pub fn new(from: MailFrom, subject: String, charset: Charset) -> Self {
        Self {
            from,
            subject,
            charset,
        }
    }

    /// A letter to an address: plain text, with simple HTML beside it. However often it is written, it is the same to the byte.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn write(&self, letter: Letter<'_>, address: &Secret<String>) -> Result<Message, LetterError> {
        let to = address.expose().parse().map_err(|_| LetterError::Address)?;
        let Written { subject, text } = letter.content.written(letter.at)?;
        let subject = subject.as_deref().unwrap_or(&self.subject);
        let html = html(subject, &text, self.charset)?;
        let domain = self.from.0.email.domain();
        let part = |kind, text| -> Result<SinglePart, LetterError> {
            let part = SinglePart::builder().header(self.charset.content_type(kind)?);
            Ok(part.body(self.charset.body(text)?))
        };
        let parts = MultiPart::alternative()
            .boundary(format!("=_{}", letter.id.simple()))
            .singlepart(part("plain", text)?)
            .singlepart(part("html", html)?);
        Message::builder()
            .from(self.from.0.clone())
            .to(Mailbox::new(None, to))
            .raw_header(self.charset.subject(subject)?)
            .date(SystemTime::from(letter.at))
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            // RFC 3834: nobody's holiday answer is wanted.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", "ja"))
            .multipart(parts)
            .map_err(|_| LetterError::Message)
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
