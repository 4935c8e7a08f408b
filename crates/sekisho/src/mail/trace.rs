//! `sekisho mail trace`

use std::io::{self, Write};

use anyhow::bail;
use clap::Args;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::otp::v1::{MailFailed, Purpose};
use time::Duration;

use super::fate::{Brings, End, Mail, Mails, Step};
use crate::log::{Entries, Found, topic_in_words};
use crate::text::{clean, jst};

/// Whose mails.
#[derive(Debug, Args)]
pub struct Trace {
    #[command(flatten)]
    entries: Entries,
}

impl Trace {
    /// Reads and prints.
    ///
    /// # Errors
    /// What went wrong, in a sentence; also when nothing was owed.
    pub async fn run(self) -> anyhow::Result<()> {
        let Found { subject, lines, now } = self.entries.read().await?;
        let mut mails = Mails::default();
        for line in lines.iter().filter(|line| line.kind == "code") {
            mails.fold(line)?;
        }
        let mails = mails.at(now);
        if mails.is_empty() {
            bail!("メールの記録はありません（{subject}）。");
        }
        let mut output = io::stdout().lock();
        for mail in &mails {
            tell(mail, &mut output)?;
        }
        Ok(())
    }
}

fn tell(mail: &Mail, output: &mut impl Write) -> io::Result<()> {
    let what = match mail.brings {
        Brings::Code(Purpose::Reset) => "確認コード（パスワード再設定）".to_owned(),
        Brings::Code(_) => "確認コード（サインイン）".to_owned(),
        Brings::Notice(topic) => format!("お知らせ（{}）", topic_in_words(topic)),
    };
    let reference = match mail.reference.as_str() {
        "" => String::new(),
        reference => format!("　照合番号 {}", clean(reference)),
    };
    writeln!(output, "{what}{reference}　：{}", ended(mail.end))?;
    writeln!(
        output,
        "  {}  {}（位置 {}）",
        jst(mail.since),
        began(mail.brings),
        mail.about
    )?;
    let mut before = mail.since;
    for (at, step) in &mail.steps {
        writeln!(
            output,
            "  {}  +{}  {}",
            jst(*at),
            elapsed(*at - before),
            said(step)
        )?;
        before = *at;
    }
    writeln!(output)
}

fn began(brings: Brings) -> &'static str {
    match brings {
        Brings::Code(_) => "発行",
        Brings::Notice(_) => "送信の受け持ち",
    }
}

fn ended(end: Option<End>) -> &'static str {
    match end {
        None => "送信中",
        Some(End::Mailed) => "メールサーバーに引き渡し済み",
        Some(End::Failed) => "送信できませんでした",
        Some(End::Superseded) => "送る前に不要になりました",
        Some(End::Expired) => "送る前に期限が切れました",
        Some(End::Withheld) => "送らないことにしました（上限、または登録のない利用者ID）",
    }
}

fn said(step: &Step) -> String {
    match step {
        Step::Claimed { attempt, service } => format!("{attempt}回目の送信を開始（{}）", clean(service)),
        Step::Mailed { reply } => format!("引き渡し済み（応答 {reply}）"),
        Step::Failed(failed) => of_failed(failed),
    }
}

fn of_failed(failed: &MailFailed) -> String {
    let why = match failed.class() {
        Class::Unspecified => "理由不明",
        Class::Unreachable => "メールサーバーに接続できません",
        Class::Transient => "メールサーバーが一時的に拒否",
        Class::Permanent => "メールサーバーが拒否",
        Class::Unprepared => "送る準備ができませんでした（メールサーバーには接続していません）",
        Class::NoAddress => "宛先がありません",
        Class::Dead => "確認コードが無効になりました",
        Class::InDoubt => "メールサーバーが受け取ったか分かりません",
    };
    let reply = match failed.reply {
        0 => String::new(),
        reply => format!("、応答 {reply}"),
    };
    let next = if failed.will_retry {
        "、再送します"
    } else {
        "、再送しません"
    };
    format!("{why}{reply}{next}")
}

/// Such as `1.204秒`.
fn elapsed(time: Duration) -> String {
    format!("{:.3}秒", time.as_seconds_f64())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_way_of_a_mail_is_told_step_by_step() {
        let since = datetime!(2026-03-02 01:23:45 UTC);
        let mail = Mail {
            about: 12,
            brings: Brings::Code(Purpose::SignIn),
            since,
            reference: "CFHJ".to_owned(),
            expires_at: None,
            steps: vec![
                (
                    since + Duration::milliseconds(12),
                    Step::Claimed {
                        attempt: 1,
                        service: "otp/a".to_owned(),
                    },
                ),
                (
                    since + Duration::milliseconds(212),
                    Step::Failed(MailFailed {
                        class: Class::Transient.into(),
                        reply: 451,
                        will_retry: true,
                        ..MailFailed::default()
                    }),
                ),
                (since + Duration::seconds(3), Step::Mailed { reply: 250 }),
            ],
            end: Some(End::Mailed),
        };
        let mut output = Vec::new();
        tell(&mail, &mut output).unwrap();
        let expected = "\
確認コード（サインイン）　照合番号 CFHJ　：メールサーバーに引き渡し済み
  2026-03-02 10:23:45.000  発行（位置 12）
  2026-03-02 10:23:45.012  +0.012秒  1回目の送信を開始（otp/a）
  2026-03-02 10:23:45.212  +0.200秒  メールサーバーが一時的に拒否、応答 451、再送します
  2026-03-02 10:23:48.000  +2.788秒  引き渡し済み（応答 250）

";
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }
}
