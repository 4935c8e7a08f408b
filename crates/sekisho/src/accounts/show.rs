//! `sekisho accounts show` and `list`

use std::io::{self, Write};

use anyhow::Context;
use clap::Args;
use sekisho_proto::credentials::v1::account::Lock;
use sekisho_proto::credentials::v1::{Account, ShowAccountRequest};
use sekisho_proto::from_timestamp;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::refusal::refused;
use super::{Credentials, listed, locks};
use crate::text::{clean, clean_json, jst, padded, table};

/// Which account.
#[derive(Debug, Args)]
pub struct Show {
    /// The login id.
    #[arg(value_name = "LOGIN")]
    login: String,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    credentials: Credentials,
}

/// Which accounts.
#[derive(Debug, Args)]
pub struct List {
    /// Those of the facility with this code; without it all.
    #[arg(long, value_name = "CODE", default_value = "")]
    facility: String,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    credentials: Credentials,
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let request = ShowAccountRequest { login_id: self.login };
        let answer = self.credentials.client()?.show_account(request).await;
        let answer = answer.map_err(|status| refused("表示できません", &status))?;
        let account = answer
            .into_inner()
            .account
            .context("credentials answered no account")?;
        let mut output = io::stdout().lock();
        if self.json {
            writeln!(output, "{}", clean_json(&as_json(&account)))?;
            return Ok(());
        }
        for (label, value) in facts(&account) {
            writeln!(output, "{}  {value}", padded(label, 22))?;
        }
        Ok(())
    }
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let accounts = listed::all(&self.credentials, &self.facility).await?.accounts;
        let mut output = io::stdout().lock();
        if self.json {
            for account in &accounts {
                writeln!(output, "{}", clean_json(&as_json(account)))?;
            }
            return Ok(());
        }
        overview(&accounts, &mut output)
    }
}

fn overview(accounts: &[Account], output: &mut impl Write) -> anyhow::Result<()> {
    if accounts.is_empty() {
        writeln!(output, "アカウントはありません。")?;
        return Ok(());
    }
    let titles = [
        "利用者ID",
        "施設コード",
        "施設",
        "氏名",
        "状態",
        "サインイン方法",
        "最終サインイン（日本時間）",
    ];
    let rows: Vec<[String; 7]> = std::iter::once(titles.map(str::to_owned))
        .chain(accounts.iter().map(|account| {
            [
                clean(&account.login_id),
                clean(&account.facility_code),
                clean(&account.facility),
                clean(&account.name),
                state(account),
                method(account).to_owned(),
                last_signed_in(account),
            ]
        }))
        .collect();
    Ok(table(&rows, output)?)
}

fn facts(account: &Account) -> Vec<(&'static str, String)> {
    let id = Uuid::from_slice(&account.account_id).unwrap_or_default();
    let address = match account.address.as_str() {
        "" if is_linked(account) => "登録されていません".to_owned(),
        "" => "登録されていません（サインインできません）".to_owned(),
        address => clean(address),
    };
    let ncr = match account.ncr_subject.as_str() {
        "" => "なし".to_owned(),
        subject => clean(subject),
    };
    vec![
        ("利用者ID", clean(&account.login_id)),
        ("アカウント", id.to_string()),
        (
            "施設",
            format!(
                "{}（{}）",
                clean(&account.facility),
                clean(&account.facility_code)
            ),
        ),
        ("氏名", clean(&account.name)),
        ("メールアドレス", address),
        ("NCR識別子", ncr),
        ("状態", state(account)),
        ("ロック", locked(account)),
        ("パスワード", password(account).to_owned()),
        (
            "連続した失敗",
            format!("{}回（確認済みでないブラウザ）", account.failures),
        ),
        ("確認済みのブラウザ", format!("{}件", account.known_devices)),
        ("最終本人確認", last_accepted(account)),
        ("最終サインイン", last_signed_in(account)),
    ]
}

pub(super) fn state(account: &Account) -> String {
    if account.disabled {
        "無効".to_owned()
    } else if account.locks.is_empty() {
        "有効".to_owned()
    } else {
        "有効（一部ロック中）".to_owned()
    }
}

/// What is locked, in a line.
pub(super) fn locked(account: &Account) -> String {
    match locks::all(account) {
        none if none.is_empty() => "なし".to_owned(),
        all => all.join("、"),
    }
}

/// Whether an account at the NCR provider opens it, and no password.
pub(super) fn is_linked(account: &Account) -> bool {
    !account.ncr_subject.is_empty()
}

/// How its owner signs in.
pub(super) fn method(account: &Account) -> &'static str {
    if is_linked(account) {
        "NCRアカウント"
    } else {
        "パスワード"
    }
}

pub(super) fn password(account: &Account) -> &'static str {
    if is_linked(account) {
        "使えません（NCRアカウントでサインインします）"
    } else if account.password_expired {
        "失効（次のサインインまたは再設定で、本人が設定します）"
    } else if account.password_is_initial {
        "配布されたもの（本人はまだ変更していません）"
    } else if account.password_is_of_registration {
        "登録時のもの（このシステムでは、本人はまだ設定していません）"
    } else {
        "本人が設定したもの"
    }
}

fn last_accepted(account: &Account) -> String {
    let at = account.last_accepted_at.as_ref().and_then(from_timestamp);
    at.map_or_else(|| "なし".to_owned(), jst)
}

fn moment(at: Option<&prost_types::Timestamp>) -> Option<String> {
    at.and_then(from_timestamp)?.format(&Rfc3339).ok()
}

fn last_signed_in(account: &Account) -> String {
    let at = account.last_signed_in_at.as_ref().and_then(from_timestamp);
    at.map_or_else(|| "なし".to_owned(), jst)
}

fn as_json(account: &Account) -> serde_json::Value {
    let lock = |lock: &Lock| {
        json!({
            "what": lock.what().as_str_name(),
            "until": moment(lock.until.as_ref()),
        })
    };
    json!({
        "login_id": account.login_id,
        "account_id": Uuid::from_slice(&account.account_id).unwrap_or_default().to_string(),
        "facility_code": account.facility_code,
        "facility": account.facility,
        "name": account.name,
        "address": account.address,
        "ncr_subject": account.ncr_subject,
        "disabled": account.disabled,
        "locks": account.locks.iter().map(lock).collect::<Vec<_>>(),
        "failures": account.failures,
        "known_devices": account.known_devices,
        "password_is_initial": account.password_is_initial,
        "password_is_of_registration": account.password_is_of_registration,
        "password_expired": account.password_expired,
        "last_accepted_at": moment(account.last_accepted_at.as_ref()),
        "last_signed_in_at": moment(account.last_signed_in_at.as_ref()),
    })
}
