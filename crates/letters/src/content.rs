//! What a letter says.

use askama::Template;
use sekisho_proto::otp::v1::{Purpose, Topic};
use time::OffsetDateTime;

use crate::charset::Charset;
use crate::message::LetterError;
use crate::moment::moment;

/// The subject of letters that bring codes, as the manual has it: people filter on it. Another one may be configured.
pub const CODE_SUBJECT: &str = "国立がん研究センター（GTOL B2C production）アカウントの電子メール確認コード";

/// What a letter is about.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// A code to be typed.
    Code(Code<'a>),
    /// What happened to the account.
    Notice(Topic),
}

/// A code and what belongs to it. Never printed.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// The digits.
    pub digits: &'a str,
    /// 照合番号, as on the page.
    pub reference: &'a str,
    /// From then on it is worth nothing.
    pub expires_at: OffsetDateTime,
}

/// The words of a letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// Of notices; that of codes is configured.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
}

#[derive(Template)]
#[template(path = "code.txt")]
struct CodeText<'a> {
    code: Code<'a>,
    is_reset: bool,
    at: String,
    until: String,
}

#[derive(Template)]
#[template(path = "notice.txt")]
struct NoticeText {
    topic: Topic,
    at: String,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    charset: &'static str,
    subject: &'a str,
    paragraphs: Vec<&'a str>,
}

impl Content<'_> {
    /// The words, about something that happened at a moment.
    ///
    /// # Errors
    /// [`LetterError::Topic`].
    pub fn written(self, at: OffsetDateTime) -> Result<Written, LetterError> {
        match self {
            Self::Code(code) => {
                let text = CodeText {
                    is_reset: code.purpose == Purpose::Reset,
                    at: moment(at),
                    until: moment(code.expires_at),
                    code,
                };
                Ok(Written {
                    subject: None,
                    text: rendered(&text)?,
                })
            }
            Self::Notice(topic) => {
                let subject = subject(topic).ok_or(LetterError::Topic)?;
                let text = NoticeText {
                    topic,
                    at: moment(at),
                };
                Ok(Written {
                    subject: Some(format!("がん登録オンラインシステム（GTOL）：{subject}")),
                    text: rendered(&text)?,
                })
            }
        }
    }
}

/// The same words as HTML: a paragraph for each block of lines.
pub(crate) fn html(subject: &str, text: &str, charset: Charset) -> Result<String, LetterError> {
    let paragraphs = text
        .split("\n\n")
        .map(str::trim)
        .filter(|block| !block.is_empty());
    rendered(&Html {
        charset: charset.name(),
        subject,
        paragraphs: paragraphs.collect(),
    })
}

/// The last line ends as all others do.
fn rendered(template: &impl Template) -> Result<String, LetterError> {
    let text = template.render().map_err(|_| LetterError::Message)?;
    Ok(text.trim_end().to_owned() + "\n")
}

/// `None` for what a newer version tells of.
fn subject(topic: Topic) -> Option<&'static str> {
    Some(match topic {
        Topic::Unspecified => return None,
        Topic::PasswordChanged => "パスワード変更のお知らせ",
        Topic::Locked => "サインインの一時制限のお知らせ",
        Topic::NewDevice => "サインインのお知らせ（新しいブラウザ）",
        Topic::Closed => "サインイン停止のお知らせ",
        Topic::SignInCodeSpent => "確認コード無効化のお知らせ（サインイン）",
        Topic::ResetCodeSpent => "確認コード無効化のお知らせ（パスワード再設定）",
        Topic::SignInCodesClosed => "サインイン停止のお知らせ（確認コード）",
        Topic::ResetCodesClosed => "パスワード再設定停止のお知らせ",
        Topic::EmailChanged => "メールアドレス変更のお知らせ",
        Topic::FederatedIdentityLinked => "NCRアカウント結び付けのお知らせ",
    })
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "Code({:?})", code.purpose),
            Self::Notice(topic) => write!(f, "Notice({topic:?})"),
        }
    }
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}
