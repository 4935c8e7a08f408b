//! Letters: the mail that brings a code (screens 1.7), and those that tell what happened.

use std::fmt::Write as _;
use std::time::SystemTime;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use sekisho_proto::otp::v1::{Purpose, Topic};
use sekisho_service::settings::{Secret, Value};
use time::macros::offset;
use time::{OffsetDateTime, UtcOffset};

use super::todo::{Owed, OwedCode};
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
    /// Something that this version has no words for.
    #[error("this version has no words for it")]
    Topic,
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

    /// The letter for a code.
    pub(super) fn code(
        &self,
        owed: &Owed,
        code: &OwedCode,
        digits: &Digits,
        address: &Secret<String>,
    ) -> Result<Message, LetterError> {
        self.write(owed, &self.subject, with_code(owed, code, digits), address)
    }

    /// The letter that tells what happened.
    pub(super) fn notice(
        &self,
        owed: &Owed,
        topic: Topic,
        address: &Secret<String>,
    ) -> Result<Message, LetterError> {
        let told = told(topic).ok_or(LetterError::Topic)?;
        let subject = format!("がん登録オンラインシステム（GTOL）：{}", told.subject);
        let at = moment(owed.recorded_at);
        let text = format!(
            "国立がん研究センター がん登録オンラインシステム（GTOL）からのお知らせです。\n\
             このメールアドレスが登録されているアカウントについてお知らせします。\n\
             \n\
             {}\n\
             \n\
             日時：{at}\n\
             \n\
             {}\n\
             \n\
             このメールには、リンクも添付ファイルもありません。お手続きは、VPNを接続し、GUIツールの[GTOLを開く]ボタンから\n\
             開いたサインインページで行ってください。パスワードや確認コードを、メールや電話でお尋ねすることはありません。\n\
             ご不明な点は、『9章 お困りのときは』を参照してください。このメールには返信できません。\n",
            told.what, told.unexpected
        );
        self.write(owed, &subject, text, address)
    }

    /// Each attempt writes the same letter with the same Message-ID, so that a copy can be told.
    fn write(
        &self,
        owed: &Owed,
        subject: &str,
        text: String,
        address: &Secret<String>,
    ) -> Result<Message, LetterError> {
        let to = address.expose().parse().map_err(|_| LetterError::Address)?;
        let domain = self.from.0.email.domain();
        Message::builder()
            .from(self.from.0.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .date(SystemTime::from(owed.recorded_at))
            .message_id(Some(format!("<{}@{domain}>", owed.event_id)))
            // RFC 3834: nobody's holiday answer is wanted.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", "ja"))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|_| LetterError::Message)
    }
}

/// What a person is told.
struct Told {
    subject: &'static str,
    what: &'static str,
    /// For whom it was not.
    unexpected: &'static str,
}

fn told(topic: Topic) -> Option<Told> {
    Some(match topic {
        // Of a newer version.
        Topic::Unspecified => return None,
        Topic::PasswordChanged => Told {
            subject: "パスワード変更のお知らせ",
            what: "ご利用のアカウントのパスワードが変更されました。サインイン中だった端末は、すべてサインアウトしました。",
            unexpected: "ご自身で変更された場合、お手続きは不要です。\n\
                         お心当たりがない場合は、パスワードが他の人に変更されたおそれがあり、確認コードのメールも読まれているおそれが\n\
                         あります。先にメールのパスワードを変更し、次に「パスワードを忘れた場合」からパスワードを再設定して、\n\
                         サポート担当者にご連絡ください。",
        },
        Topic::Locked => Told {
            subject: "サインインの一時制限のお知らせ",
            what: "ご利用のアカウントで、パスワードの誤りが続いたため、サインインを一時的に制限（ロック）しました。しばらく待つと、\n\
                   サインインできるようになります。お急ぎの場合は、「パスワードを忘れた場合」から再設定すると、サインインできます。\n\
                   このお知らせは、ロックが続いても1日に1回までです。",
            unexpected: "お心当たりがない場合は、他の人がサインインを試みているおそれがあります。誤ったパスワードでは、サインイン\n\
                         できません。このお知らせが続くときは、サポート担当者にご連絡ください。",
        },
        Topic::NewDevice => Told {
            subject: "サインインのお知らせ（新しいブラウザ）",
            what: "GTOLが覚えていないブラウザから、ご利用のアカウントへのサインインがありました。",
            unexpected: "パソコンやブラウザを替えた場合、Cookieを削除した場合、施設の異動の登録やパスワードの再設定の後に初めて\n\
                         サインインした場合にも、届くことがあります。お心当たりがあれば、お手続きは不要です。\n\
                         お心当たりがない場合は、パスワードとメールが他の人に知られているおそれがあります。先にメールのパスワードを\n\
                         変更し、次に「パスワードを忘れた場合」からパスワードを再設定して、サポート担当者にご連絡ください。",
        },
        Topic::Closed => Told {
            subject: "サインイン停止のお知らせ",
            what: "ご利用のアカウントで、パスワードの誤りが上限に達したため、サインインを停止しました。待ってもサインインできません。\n\
                   「パスワードを忘れた場合」からパスワードを再設定すると、サインインできるようになります。",
            unexpected: "お心当たりがない場合は、他の人がサインインを試みているおそれがあります。サポート担当者にご連絡ください。",
        },
        Topic::SignInCodeSpent => Told {
            subject: "確認コード無効化のお知らせ（サインイン）",
            what: "正しいパスワードを入力した後のサインインで、確認コードの入力が5回続けて誤っていたため、その確認コードを\n\
                   無効にしました。ご自身の入力間違いであれば、画面から新しいコードを送信できます。",
            unexpected: "お心当たりがない場合は、パスワードが他の人に知られています。すぐに「パスワードを忘れた場合」からパスワードを\n\
                         再設定し、サポート担当者にご連絡ください。確認コードは、他の人に教えないでください。",
        },
        Topic::ResetCodeSpent => Told {
            subject: "確認コード無効化のお知らせ（パスワード再設定）",
            what: "パスワードの再設定で、確認コードの入力が5回続けて誤っていたため、その確認コードを無効にしました。\n\
                   ご自身の入力間違いであれば、画面から新しいコードを送信できます。",
            unexpected: "再設定は、利用者IDを知っていれば誰でも始められます。確認コードを他の人に教えないかぎり、パスワードは変更\n\
                         されません。このお知らせが続くときは、サポート担当者にご連絡ください。",
        },
        Topic::EmailChanged => Told {
            subject: "メールアドレス変更のお知らせ",
            what: "ご利用のアカウントに登録されていたメールアドレスが、管理者によって変更または削除されました。今後、確認コードは\n\
                   このメールアドレスには届きません。このお知らせは、変更前のメールアドレスに送っています。",
            unexpected: "お心当たりがない場合は、他の人がなりすまして変更を依頼したおそれがあります。このメールアドレスではパスワードを\n\
                         再設定できませんので、すぐにサポート担当者にご連絡ください。",
        },
    })
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn with_code(owed: &Owed, code: &OwedCode, digits: &Digits) -> String {
    let is_reset = code.purpose == Purpose::Reset;
    let what_for = if is_reset {
        "パスワード再設定"
    } else {
        "サインイン"
    };
    let digits = String::from_utf8_lossy(digits.expose());
    let reference = &code.reference;
    let issued_at = moment(owed.recorded_at);
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
