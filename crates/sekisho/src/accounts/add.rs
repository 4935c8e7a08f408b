//! `sekisho accounts add`

use std::io::{self, Write};

use clap::Args;
use sekisho_proto::credentials::v1::RegisterAccountRequest;

use super::refusal::refused;
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
    /// Where codes are mailed to. Without one, nobody can sign in.
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    email: String,
    /// Makes a password to be distributed to the owner, and prints it once.
    #[arg(long)]
    initial_password: bool,
    #[command(flatten)]
    credentials: Credentials,
}

impl Add {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        // Without --initial-password nobody ever learns it.
        let password = distributed::password();
        let request = RegisterAccountRequest {
            login_id: self.login,
            facility_code: self.facility_code,
            facility: self.facility,
            name: self.name,
            address: self.email,
            password_hash: distributed::hash(&password)?,
            password_is_initial: self.initial_password,
        };
        let answer = self.credentials.client()?.register_account(request).await;
        let position = answer
            .map_err(|status| refused("登録していません", &status))?
            .into_inner()
            .position;
        let mut output = io::stdout().lock();
        writeln!(output, "登録しました。（ログの位置 {position}）")?;
        if self.initial_password {
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
