//! What administrators change.

use std::io::{self, IsTerminal, Write};

use anyhow::bail;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use sekisho_proto::credentials::v1::link_federated_identity_request::Link;
use sekisho_proto::credentials::v1::{
    Account, ChangeAddressRequest, DisableAccountRequest, EnableAccountRequest, EraseAccountRequest,
    ExpirePasswordRequest, LinkFederatedIdentityRequest, ShowAccountRequest, UnlockAccountRequest,
};
use tonic::Status;

use super::refusal::{not_done, refused};
use super::{Credentials, One, show};

/// Where codes go.
#[derive(Debug, Args)]
pub struct SetEmail {
    /// The login id.
    #[arg(value_name = "LOGIN")]
    login: String,
    /// The new address; an empty one takes the old one away, and nobody can sign in.
    #[arg(value_name = "ADDRESS")]
    address: String,
    #[command(flatten)]
    credentials: Credentials,
}

/// Who signs in with an NCR account.
#[derive(Debug, Args)]
pub struct LinkNcr {
    /// The login id.
    #[arg(value_name = "LOGIN")]
    login: String,
    /// The person's subject identifier (`sub`) at the provider. Whoever runs the provider knows it; it is no address.
    #[arg(value_name = "SUBJECT", required_unless_present = "remove", value_parser = NonEmptyStringValueParser::new())]
    subject: Option<String>,
    /// Ends the link, and all sessions, in place of making one: then the owner, who needs an address, sets a password by 「パスワードを忘れた場合（再設定）」.
    #[arg(long, conflicts_with = "subject")]
    remove: bool,
    #[command(flatten)]
    credentials: Credentials,
}

/// Whom to erase.
#[derive(Debug, Args)]
pub struct Erase {
    #[command(flatten)]
    one: One,
    /// Does not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn disable(one: One) -> anyhow::Result<()> {
    let request = DisableAccountRequest {
        login_id: one.login.clone(),
    };
    let answer = one.credentials.client()?.disable_account(request).await;
    let position = answer
        .map_err(|status| unchanged(&one.login, &status))?
        .into_inner()
        .position;
    say(
        position,
        "無効にしました。サインイン中のセッションは終了します。",
        "すでに無効です。",
    )
}

pub(super) async fn enable(one: One) -> anyhow::Result<()> {
    let request = EnableAccountRequest {
        login_id: one.login.clone(),
    };
    let answer = one.credentials.client()?.enable_account(request).await;
    let position = answer
        .map_err(|status| unchanged(&one.login, &status))?
        .into_inner()
        .position;
    say(position, "有効にしました。", "すでに有効です。")
}

pub(super) async fn unlock(one: One) -> anyhow::Result<()> {
    let request = UnlockAccountRequest {
        login_id: one.login.clone(),
    };
    let mut client = one.credentials.client()?;
    let answer = client.unlock_account(request).await;
    let position = answer
        .map_err(|status| unchanged(&one.login, &status))?
        .into_inner()
        .position;
    say(
        position,
        "ロックを解除し、誤りの回数と、再設定のメールの上限を取り消しました。",
        "",
    )?;
    let request = ShowAccountRequest { login_id: one.login };
    let answer = client.show_account(request).await;
    let shown = answer.map_err(|status| refused("解除しましたが、今の状態は分かりません", &status))?;
    Ok(still_out(
        &shown.into_inner().account.unwrap_or_default(),
        &mut io::stdout().lock(),
    )?)
}

/// What keeps the person out all the same.
fn still_out(account: &Account, output: &mut impl Write) -> io::Result<()> {
    if account.disabled {
        writeln!(
            output,
            "アカウントは無効です。有効にするには、enable を使います。"
        )?;
    }
    if !account.locks.is_empty() {
        writeln!(
            output,
            "次のロックは unlock では解除できません。本人がパスワードを再設定すると解除されます：{}",
            show::locked(account)
        )?;
    }
    Ok(())
}

pub(super) async fn reset(one: One) -> anyhow::Result<()> {
    let request = ExpirePasswordRequest {
        login_id: one.login.clone(),
    };
    let answer = one.credentials.client()?.expire_password(request).await;
    let position = answer
        .map_err(|status| unchanged(&one.login, &status))?
        .into_inner()
        .position;
    say(
        position,
        "パスワードを失効させました。本人が次にサインインするとき、または「パスワードを忘れた場合（再設定）」から、新しいパスワードを設定します。",
        "パスワードはすでに失効しています。",
    )
}

impl SetEmail {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let request = ChangeAddressRequest {
            login_id: self.login.clone(),
            address: self.address,
        };
        let answer = self.credentials.client()?.change_address(request).await;
        let position = answer
            .map_err(|status| unchanged(&self.login, &status))?
            .into_inner()
            .position;
        say(
            position,
            "メールアドレスを変更しました。手続き中のサインインと再設定は終了します。",
            "すでにそのメールアドレスです。",
        )
    }
}

impl LinkNcr {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let request = LinkFederatedIdentityRequest {
            login_id: self.login.clone(),
            link: Some(self.subject.map_or(Link::Nobody(()), Link::NcrSubject)),
        };
        let answer = self.credentials.client()?.link_federated_identity(request).await;
        let position = answer
            .map_err(|status| unchanged(&self.login, &status))?
            .into_inner()
            .position;
        if self.remove {
            say(
                position,
                "NCRアカウントとの結び付けを外しました。セッションは終了します。前のパスワードではサインインできません（新しいパスワードの設定に進むだけです）。本人は「パスワードを忘れた場合（再設定）」からパスワードを設定します（メールアドレスがなければ、先に set-email で登録してください）。",
                "NCRアカウントには結び付いていません。",
            )
        } else {
            say(
                position,
                "NCRアカウントに結び付けました。セッションは終了します。本人は「NCRアカウントでサインイン」からサインインします。パスワードは使えません。",
                "すでにそのNCRアカウントに結び付いています。",
            )
        }
    }
}

impl Erase {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if !self.yes && !is_confirmed(&self.one.login)? {
            bail!("何も変更していません。");
        }
        let request = EraseAccountRequest {
            login_id: self.one.login.clone(),
        };
        let answer = self.one.credentials.client()?.erase_account(request).await;
        let position = answer
            .map_err(|status| unchanged(&self.one.login, &status))?
            .into_inner()
            .position;
        say(position, "消去しました。元に戻すことはできません。", "")
    }
}

/// Whoever types the login id once more means it. Without a terminal nobody can be asked.
fn is_confirmed(login: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("erase は端末で確認します。端末がなければ、--yes を付けてください。");
    }
    print!(
        "{login} の氏名、メールアドレス、パスワード、鍵を消去します。確認のため、利用者IDをもう一度入力してください："
    );
    io::stdout().flush()?;
    let mut typed = String::new();
    io::stdin().read_line(&mut typed)?;
    Ok(typed.trim() == login)
}

/// What was done, and where it stands in the log; or that it was so already.
fn say(position: u64, done: &str, already: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match position {
        0 => writeln!(output, "{already}")?,
        position => writeln!(output, "{done}（ログの位置 {position}）")?,
    }
    Ok(())
}

fn unchanged(login: &str, status: &Status) -> anyhow::Error {
    not_done("変更していません", login, status)
}

#[cfg(test)]
mod tests {
    use sekisho_proto::credentials::v1::account::{Lock, What};

    use super::*;

    fn told(account: &Account) -> String {
        let mut output = Vec::new();
        still_out(account, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn what_unlock_does_not_end_is_said() {
        assert_eq!(told(&Account::default()), "");
        let closed = Account {
            disabled: true,
            locks: vec![Lock {
                what: What::UnknownBrowsers.into(),
                until: None,
            }],
            ..Account::default()
        };
        let told = told(&closed);
        assert!(
            told.contains("enable") && told.contains("確認済みでないブラウザ"),
            "{told}"
        );
    }
}
