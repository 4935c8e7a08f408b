//! `sekisho accounts add`

use std::io::{self, Write};

use anyhow::{Context, anyhow};
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use clap::Args;
use sekisho_proto::credentials::v1::RegisterAccountRequest;
use sekisho_service::entropy;

use super::Credentials;
use crate::certificates::refused;

/// Letters and digits that are not mistaken for each other on paper.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
/// Of a distributed password: 80 bits.
const LENGTH: usize = 16;

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
        let password = password();
        let request = RegisterAccountRequest {
            login_id: self.login,
            facility_code: self.facility_code,
            facility: self.facility,
            name: self.name,
            address: self.email,
            password_hash: hash(&password)?,
            password_is_initial: self.initial_password,
        };
        let answer = self.credentials.client()?.register_account(request).await;
        let position = answer
            .map_err(|status| refused("no account was made", &status))?
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

/// A random password: each letter has 5 bits.
fn password() -> String {
    let random = entropy::bytes::<LENGTH>();
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    random.into_iter().map(letter).collect()
}

/// As credentials would hash it: the server never sees the password.
fn hash(password: &str) -> anyhow::Result<String> {
    let parameters = Params::new(19_456, 2, 1, None).map_err(|_| anyhow!("argon2 refuses its parameters"))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let hash = hasher.hash_password(password.as_bytes());
    Ok(hash
        .map_err(|error| anyhow!("{error}"))
        .context("the password was not hashed")?
        .to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_distributed_password_is_random_and_easy_to_type() {
        assert_eq!(LETTERS.iter().collect::<BTreeSet<_>>().len(), 32);
        for confused in *b"0O1lIio" {
            assert!(!LETTERS.contains(&confused), "{}", char::from(confused));
        }
        let made: BTreeSet<String> = (0..100).map(|_| password()).collect();
        assert_eq!(made.len(), 100);
        assert!(made.iter().all(|password| password.len() == 16));
    }

    #[test]
    fn a_hash_is_as_strong_as_that_of_credentials() {
        assert!(hash("a").unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}
