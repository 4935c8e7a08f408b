//! `sekisho accounts explain`: for whoever answers the telephone.

mod advice;
mod attempt;
mod story;

use std::io::{self, Write};

use clap::Args;
use sekisho_proto::credentials::v1::explain_account_request::Question;
use sekisho_proto::credentials::v1::{Account, Episode, ExplainAccountRequest, ExplainAccountResponse};
use sekisho_proto::from_timestamp;
use time::OffsetDateTime;

use super::refusal::refused;
use super::{Credentials, show};
use crate::text::{clean, minute, padded};

/// About whom.
#[derive(Debug, Args)]
pub struct Explain {
    /// The login id, as the caller says it.
    #[arg(value_name = "LOGIN", required_unless_present = "enquiry")]
    login: Option<String>,
    /// The enquiry number (お問い合わせ番号) that a page shows, such as 0412-7739-2056.
    #[arg(long, value_name = "NUMBER", conflicts_with = "login")]
    enquiry: Option<String>,
    #[command(flatten)]
    credentials: Credentials,
}

impl Explain {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (question, order) = match (self.login, self.enquiry) {
            (_, Some(enquiry)) => (Question::Enquiry(enquiry), "お尋ねの手続き、続いて新しい順"),
            (login, None) => (Question::LoginId(login.unwrap_or_default()), "新しい順"),
        };
        let request = ExplainAccountRequest {
            question: Some(question),
        };
        let answer = self.credentials.client()?.explain_account(request).await;
        let answer = answer.map_err(|status| refused("説明できません", &status))?;
        Ok(tell(&answer.into_inner(), order, &mut io::stdout().lock())?)
    }
}

fn tell(answer: &ExplainAccountResponse, order: &str, output: &mut impl Write) -> io::Result<()> {
    let now = answer.now.as_ref().and_then(from_timestamp);
    let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    about(answer.account.as_ref(), output)?;
    writeln!(output, "\n案内")?;
    for advice in advice::advice(answer, now) {
        writeln!(output, "  {advice}")?;
    }
    writeln!(output, "\n最近の記録（{order}、手続き10件まで、日本時間）")?;
    if answer.episodes.is_empty() {
        writeln!(output, "  この14日間の記録はありません。")?;
    }
    answer
        .episodes
        .iter()
        .try_for_each(|episode| happened(episode, output))
}

fn about(account: Option<&Account>, output: &mut impl Write) -> io::Result<()> {
    let Some(account) = account else {
        return writeln!(output, "この利用者IDのアカウントはありません。");
    };
    let mut facts = vec![
        ("利用者ID", clean(&account.login_id)),
        ("氏名", clean(&account.name)),
        (
            "施設",
            format!(
                "{}（{}）",
                clean(&account.facility),
                clean(&account.facility_code)
            ),
        ),
        ("状態", show::state(account)),
        ("ロック", show::locked(account)),
    ];
    if account.address.is_empty() {
        facts.push(("メールアドレス", "登録されていません".to_owned()));
    }
    facts.push(("パスワード", show::password(account).to_owned()));
    for (label, value) in facts {
        writeln!(output, "{}  {value}", padded(label, 14))?;
    }
    Ok(())
}

fn happened(episode: &Episode, output: &mut impl Write) -> io::Result<()> {
    let mut sentences = episode.events.iter().filter_map(|event| {
        let at = event.recorded_at.as_ref().and_then(from_timestamp)?;
        Some((minute(at), story::sentence(event)?))
    });
    let Some((at, first)) = sentences.next() else {
        return Ok(());
    };
    match episode.enquiry.as_str() {
        "" => writeln!(output, "  {at}  {first}")?,
        number => writeln!(output, "  {at}  {first}（お問い合わせ番号 {}）", clean(number))?,
    }
    for (at, sentence) in sentences {
        writeln!(output, "    {at}  {sentence}")?;
    }
    Ok(())
}
