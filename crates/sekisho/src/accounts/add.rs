//! `sekisho accounts add`

use std::io::{self, Write};

use anyhow::bail;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use sekisho_proto::credentials::v1::link_federated_identity_request::Link;
use sekisho_proto::credentials::v1::{LinkFederatedIdentityRequest, RegisterAccountRequest};

use super::refusal::{is_answer_lost, not_done};
use super::{Credentials, distributed};

/// An account to make.
#[derive(Debug, Args)]
pub struct Add {
    /// The login id, usually eight digits.
    #[arg(value_name = "LOGIN")]
    login: String,
    /// The facility's public code: ASCII letters, digits and hyphens.
    #[arg(long, value_name = "CODE")]
    facility_code: String,
    /// The facility's name.
    #[arg(long, value_name = "NAME")]
    facility: String,
    /// The person's name.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Where codes are mailed to. Without one, nobody can sign in but with an NCR account.
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    email: String,
    /// How many digits a login id of digits alone has; 0 for any number.
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    digits: usize,
    /// Makes a password to be distributed to the owner, and prints it once.
    #[arg(long)]
    initial_password: bool,
    /// The person's subject identifier at the NCR provider: the account opens there, and no password does. Whoever runs the provider
    /// knows it; it is no address.
    #[arg(long, value_name = "SUBJECT", conflicts_with = "initial_password", value_parser = NonEmptyStringValueParser::new())]
    ncr: Option<String>,
    #[command(flatten)]
    credentials: Credentials,
}

impl Add {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        // Without --initial-password nobody ever learns it.
        let password = distributed::password();
        if !is_whole(&self.login, self.digits) {
            bail!(
                "登録していません：数字だけの利用者IDは{}桁です（ほかの桁数にするときは --digits を付けてください）。",
                self.digits
            );
        }
        let login = self.login.clone();
        let request = RegisterAccountRequest {
            login_id: self.login,
            facility_code: self.facility_code,
            facility: self.facility,
            name: self.name,
            address: self.email,
            password_hash: distributed::hash(&password)?,
            password_is_initial: self.initial_password,
        };
        let mut client = self.credentials.client()?;
        let answer = client.register_account(request).await;
        let mut output = io::stdout().lock();
        let position = match answer {
            Ok(answer) => answer.into_inner().position,
            Err(status) => {
                if self.initial_password && is_answer_lost(&status) {
                    writeln!(output, "登録されていた場合に配布するパスワード：{password}")?;
                }
                return Err(not_done("登録していません", &login, &status));
            }
        };
        writeln!(output, "登録しました。（ログの位置 {position}）")?;
        if let Some(subject) = self.ncr {
            let request = LinkFederatedIdentityRequest {
                login_id: login.clone(),
                link: Some(Link::NcrSubject(subject)),
            };
            let linked = client.link_federated_identity(request).await;
            linked.map_err(|status| {
                not_done(
                    "登録しましたが、NCRアカウントに結び付けていません（あとで sekisho accounts link-ncr で結び付けてください）",
                    &login,
                    &status,
                )
            })?;
            writeln!(
                output,
                "NCRアカウントに結び付けました。本人は「NCRアカウントでサインイン」からサインインします。"
            )?;
        } else if self.initial_password {
            writeln!(output, "配布するパスワード：{password}")?;
        } else {
            writeln!(
                output,
                "本人が「パスワードを忘れた場合（再設定）」から、パスワードを設定します。"
            )?;
        }
        Ok(())
    }
}

/// Whether a login id of digits has as many as all others: a digit that got lost would be another person's.
fn is_whole(login: &str, digits: usize) -> bool {
    let trimmed = login.trim();
    let is_number = trimmed.chars().all(|c| c.is_numeric() || c.is_whitespace());
    digits == 0 || !is_number || (trimmed.chars().count() == digits && trimmed.chars().all(char::is_numeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_id_of_digits_has_all_of_them() {
        for whole in ["04500001", " 04500001 ", "０４５００００１", "ncr-1"] {
            assert!(is_whole(whole, 8), "{whole}");
        }
        for broken in ["4500001", "04 500 001", "045000011", ""] {
            assert!(!is_whole(broken, 8), "{broken}");
        }
        assert!(is_whole("4500001", 0));
        assert!(is_whole("450001", 6));
    }
}
