//! `sekisho mail preview`

use std::io::{self, Write};

use anyhow::Context;
use clap::{Args, ValueEnum};
use sekisho_letters::{CODE_SUBJECT, Charset, Code, Content, Letter, Letters, MailFrom};
use sekisho_proto::otp::v1::{Purpose, Topic};
use sekisho_service::settings::{Secret, Value as _};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long a code lives.
const CODE_LIFE: Duration = Duration::minutes(10);
/// When the letters shown are written.
const MOMENT: OffsetDateTime = datetime!(2026-04-01 9:00 +9);

/// Which letter.
#[derive(Debug, Args)]
pub struct Preview {
    /// Without one all of them, one after another, as text.
    #[arg(value_enum)]
    letter: Option<Which>,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    form: Form,
    /// Of letters that bring codes.
    #[arg(long, env = "SEKISHO_OTP_MAIL_SUBJECT", default_value = CODE_SUBJECT)]
    subject: String,
    /// The sender.
    #[arg(long, env = "SEKISHO_OTP_MAIL_FROM", default_value = "gtol@localhost", value_parser = MailFrom::parse)]
    from: MailFrom,
    /// `utf-8` or `iso-2022-jp`.
    #[arg(long, env = "SEKISHO_OTP_MAIL_CHARSET", default_value = "utf-8", value_parser = Charset::parse)]
    charset: Charset,
}

/// How a letter is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Subject and plain text.
    Text,
    /// The whole message, for a mail program: `… > letter.eml`.
    Eml,
}

/// Every letter that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Brings a code of a sign-in.
    SignInCode,
    /// Brings a code of a reset.
    ResetCode,
    /// There is another password.
    PasswordChanged,
    /// Wrong passwords have locked the account for a while.
    Locked,
    /// Wrong passwords have locked it until there is a new one.
    Closed,
    /// Somebody signed in in a browser in which the account was never used.
    NewDevice,
    /// A code of a sign-in died of wrong tries.
    SignInCodeSpent,
    /// A code of a reset did.
    ResetCodeSpent,
    /// Wrong codes have closed sign-ins.
    SignInCodesClosed,
    /// Wrong codes have closed resets.
    ResetCodesClosed,
    /// Codes go to another address.
    EmailChanged,
    /// An NCR account opens the account.
    FederatedIdentityLinked,
}

impl Preview {
    /// Writes and prints.
    ///
    /// # Errors
    /// What cannot be written, in a sentence.
    pub fn run(self) -> anyhow::Result<()> {
        let mut output = io::stdout().lock();
        if let Some(letter) = self.letter {
            return self.show(letter, &mut output);
        }
        for letter in Which::value_variants() {
            writeln!(output, "――― {}\n", name(*letter))?;
            self.show(*letter, &mut output)?;
            writeln!(output)?;
        }
        Ok(())
    }

    fn show(&self, letter: Which, output: &mut impl Write) -> anyhow::Result<()> {
        let content = letter.content();
        match self.form {
            Form::Text => {
                let written = content.written(MOMENT)?;
                let subject = written.subject.as_deref().unwrap_or(&self.subject);
                Ok(write!(output, "件名：{subject}\n\n{}", written.text)?)
            }
            Form::Eml => {
                let letters = Letters::new(self.from.clone(), self.subject.clone(), self.charset);
                let letter = Letter {
                    id: Uuid::nil(),
                    at: MOMENT,
                    content,
                };
                let address = Secret::new("gantoroku@example.com".to_owned());
                let message = letters.write(letter, &address).context("手紙を書けません")?;
                Ok(output.write_all(&message.formatted())?)
            }
        }
    }
}

impl Which {
    fn content(self) -> Content<'static> {
        let code = |purpose| {
            Content::Code(Code {
                purpose,
                digits: "123456",
                reference: "CFHJ",
                expires_at: MOMENT + CODE_LIFE,
            })
        };
        match self {
            Self::SignInCode => code(Purpose::SignIn),
            Self::ResetCode => code(Purpose::Reset),
            Self::PasswordChanged => Content::Notice(Topic::PasswordChanged),
            Self::Locked => Content::Notice(Topic::Locked),
            Self::Closed => Content::Notice(Topic::Closed),
            Self::NewDevice => Content::Notice(Topic::NewDevice),
            Self::SignInCodeSpent => Content::Notice(Topic::SignInCodeSpent),
            Self::ResetCodeSpent => Content::Notice(Topic::ResetCodeSpent),
            Self::SignInCodesClosed => Content::Notice(Topic::SignInCodesClosed),
            Self::ResetCodesClosed => Content::Notice(Topic::ResetCodesClosed),
            Self::EmailChanged => Content::Notice(Topic::EmailChanged),
            Self::FederatedIdentityLinked => Content::Notice(Topic::FederatedIdentityLinked),
        }
    }
}

/// As it is typed.
fn name(letter: Which) -> String {
    letter
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(letter: Which, form: Form) -> String {
        let preview = Preview {
            letter: Some(letter),
            form,
            subject: CODE_SUBJECT.to_owned(),
            from: MailFrom::parse("gtol@localhost").unwrap(),
            charset: Charset::Iso2022Jp,
        };
        let mut output = Vec::new();
        preview.show(letter, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn every_letter_can_be_looked_at() {
        for letter in Which::value_variants() {
            let text = preview(*letter, Form::Text);
            assert!(text.starts_with("件名：") && text.lines().count() > 8, "{text}");
            let eml = preview(*letter, Form::Eml);
            assert!(eml.contains("charset=iso-2022-jp"), "{eml}");
        }
    }

    /// Every topic has a letter here.
    #[test]
    fn no_topic_is_forgotten() {
        let known = Which::value_variants()
            .iter()
            .filter(|letter| matches!(letter.content(), Content::Notice(_)));
        let all = (1..).take_while(|number| Topic::try_from(*number).is_ok());
        assert_eq!(known.count(), all.count());
    }
}
