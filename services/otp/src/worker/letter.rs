//! The mail that brings a code (screens 1.7).

use std::fmt::Write as _;
use std::time::SystemTime;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use sekisho_proto::otp::v1::Purpose;
use sekisho_service::settings::{Secret, Value};
use time::macros::offset;
use time::{OffsetDateTime, UtcOffset};

use super::todo::Owed;
use crate::code::Digits;

/// Japan has one time zone and no summer time.
const JAPAN: UtcOffset = offset!(+9);

/// Who the mails are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFrom(Mailbox);

/// Writes letters.
#[derive(Debug, Clone)]
pub struct Letters {
    from: MailFrom,
    subject: String,
}

/// A letter that cannot be written. Does not say to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// The address on file is none.
    #[error("the address on file is not an address")]
    Address,
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
    /// Letters with a sender and a subject.
    pub fn new(from: MailFrom, subject: String) -> Self {
        Self { from, subject }
    }

    /// The letter for a code. Each attempt writes the same letter with the same Message-ID, so that a copy can be told.
    pub(super) fn write(
        &self,
        owed: &Owed,
        code: &Digits,
        address: &Secret<String>,
    ) -> Result<Message, LetterError> {
        let to = address.expose().parse().map_err(|_| LetterError::Address)?;
        let domain = self.from.0.email.domain();
        Message::builder()
            .from(self.from.0.clone())
            .to(Mailbox::new(None, to))
            .subject(&self.subject)
            .date(SystemTime::from(owed.issued_at))
            .message_id(Some(format!("<{}@{domain}>", owed.event_id)))
            // RFC 3834: nobody's holiday answer is wanted.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", "ja"))
            .header(ContentType::TEXT_PLAIN)
            .body(text(owed, code))
            .map_err(|_| LetterError::Message)
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn text(owed: &Owed, code: &Digits) -> String {
    let is_reset = owed.owner.purpose == Purpose::Reset;
    let what_for = if is_reset {
        "パスワード再設定"
    } else {
        "サインイン"
    };
    let digits = String::from_utf8_lossy(code.expose());
    let reference = &owed.reference;
    let issued_at = moment(owed.issued_at);
    let expires_at = moment(owed.expires_at);
    let mut text = format!(
        "がん登録オンラインシステム（GTOL）の{what_for}に使う確認コードをお送りします。\n\
         \n\
         確認コード：{digits}\n\
         照合番号：{reference}（画面に表示されている照合番号と同じことを確認してください）\n\
         \n\
         画面の「確認コード」欄に入力してください。\n\
         送信日時：{issued_at}\n\
         有効期限：{expires_at}（送信から10分間、1回限り）\n\
         \n\
         このコードを他の人に教えないでください。職員がコードをお尋ねすることはありません。\n"
    );
    // Anyone can start a reset: a mail of one that nobody asked for says nothing about the password.
    let unexpected = if is_reset {
        "お心当たりがない場合は、このメールを破棄してください。パスワードは変更されません。"
    } else {
        "お心当たりがない場合は、パスワードが他の人に知られているおそれがあります。\n\
         サインインページの「パスワードを忘れた場合」から、パスワードを再設定してください。"
    };
    let _ = writeln!(text, "{unexpected}");
    text
}

/// Such as 2026年3月2日 10時23分.
fn moment(at: OffsetDateTime) -> String {
    let at = at.checked_to_offset(JAPAN).unwrap_or(at);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute) = (at.hour(), at.minute());
    format!("{year}年{month}月{day}日 {hour}時{minute:02}分")
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
