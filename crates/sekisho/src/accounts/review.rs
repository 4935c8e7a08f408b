//! `sekisho accounts review`: the list that a facility goes through each year, and when people come and go.

use std::io::{self, Write};

use clap::Args;
use csv::Writer;
use sekisho_proto::credentials::v1::Account;
use sekisho_proto::from_timestamp;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Credentials;
use super::columns::state;
use super::listed::{self, Listed};
use super::show::method;
use super::spreadsheet::{BOM, guarded};
use crate::text::{clean, day, table};

/// What is said of each account.
const TITLES: [&str; 8] = [
    "施設コード",
    "利用者ID",
    "氏名",
    "状態",
    "サインイン方法",
    "登録日",
    "最終サインイン日",
    "確認",
];

/// Which accounts.
#[derive(Debug, Args)]
pub struct Review {
    /// Those of the facility with this code; without it those of all, a facility after the other.
    #[arg(long, value_name = "CODE", default_value = "")]
    facility: String,
    /// Accounts without a sign-in in so many days are to be looked at.
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..))]
    unused_for: u16,
    /// CSV, for a spreadsheet.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    credentials: Credentials,
}

/// How an account is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usage {
    Disabled,
    Never,
    Unused,
    Used,
}

impl Review {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Listed { mut accounts, now } = listed::all(&self.credentials, &self.facility).await?;
        accounts.sort_by(|one, other| one.facility_code.cmp(&other.facility_code));
        let since = now - Duration::days(self.unused_for.into());
        let mut output = io::stdout().lock();
        if self.csv {
            as_csv(&accounts, since, &mut output)
        } else {
            Ok(as_text(&accounts, since, self.unused_for, &mut output)?)
        }
    }
}

fn as_text(
    accounts: &[Account],
    since: OffsetDateTime,
    days: u16,
    output: &mut impl Write,
) -> io::Result<()> {
    let rows: Vec<[String; TITLES.len()]> = std::iter::once(TITLES.map(str::to_owned))
        .chain(
            accounts
                .iter()
                .map(|account| cells(account, since).map(|cell| clean(&cell))),
        )
        .collect();
    table(&rows, output)?;
    let number = |usage| {
        accounts
            .iter()
            .filter(|account| used(account, since) == usage)
            .count()
    };
    writeln!(
        output,
        "{}件：利用あり{}、{days}日以上利用なし{}、一度も利用なし{}、無効{}",
        accounts.len(),
        number(Usage::Used),
        number(Usage::Unused),
        number(Usage::Never),
        number(Usage::Disabled),
    )
}

fn as_csv(accounts: &[Account], since: OffsetDateTime, output: &mut impl Write) -> anyhow::Result<()> {
    output.write_all(BOM)?;
    let mut writer = Writer::from_writer(output);
    writer.write_record(TITLES)?;
    for account in accounts {
        writer.write_record(cells(account, since).map(|cell| guarded(&cell).into_owned()))?;
    }
    Ok(writer.flush()?)
}

fn cells(account: &Account, since: OffsetDateTime) -> [String; TITLES.len()] {
    let remark = match used(account, since) {
        Usage::Used => "",
        Usage::Unused => "長期間利用なし",
        Usage::Never => "一度も利用なし",
        Usage::Disabled => "無効",
    };
    [
        account.facility_code.clone(),
        account.login_id.clone(),
        account.name.clone(),
        state(account.disabled).to_owned(),
        method(account).to_owned(),
        registered_at(account).map_or_else(String::new, day),
        last_used_at(account).map_or_else(|| "なし".to_owned(), day),
        remark.to_owned(),
    ]
}

fn used(account: &Account, since: OffsetDateTime) -> Usage {
    match last_used_at(account) {
        _ if account.disabled => Usage::Disabled,
        None => Usage::Never,
        Some(at) if at < since => Usage::Unused,
        Some(_) => Usage::Used,
    }
}

fn last_used_at(account: &Account) -> Option<OffsetDateTime> {
    account.last_signed_in_at.as_ref().and_then(from_timestamp)
}

/// An account id is a UUID of version 7: it tells when it was made.
fn registered_at(account: &Account) -> Option<OffsetDateTime> {
    let made = Uuid::from_slice(&account.account_id).ok()?.get_timestamp()?;
    let (seconds, nanos) = made.to_unix();
    let moment = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    Some(moment + Duration::nanoseconds(nanos.into()))
}

#[cfg(test)]
mod tests {
    use sekisho_proto::to_timestamp;
    use time::macros::datetime;

    use super::*;

    const SINCE: OffsetDateTime = datetime!(2026-04-01 0:00 UTC);

    fn account(login: &str, last: Option<OffsetDateTime>, disabled: bool) -> Account {
        Account {
            // 2026-03-02 in Japan.
            account_id: Uuid::from_u128(0x019c_abf3_af40_7000_8000_0000_0000_0000)
                .as_bytes()
                .to_vec(),
            login_id: login.to_owned(),
            facility_code: "045000".to_owned(),
            name: "登録 花子".to_owned(),
            disabled,
            last_signed_in_at: last.map(to_timestamp),
            ..Account::default()
        }
    }

    fn accounts() -> Vec<Account> {
        vec![
            account("04500001", Some(datetime!(2026-03-31 23:59 UTC)), false),
            account("04500002", Some(SINCE), false),
            account("04500003", None, false),
            account("04500004", Some(SINCE), true),
        ]
    }

    #[test]
    fn each_account_is_counted_once() {
        let mut output = Vec::new();
        as_text(&accounts(), SINCE, 365, &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        let last = "4件：利用あり1、365日以上利用なし1、一度も利用なし1、無効1";
        assert_eq!(text.lines().last(), Some(last), "{text}");
        for (login, remark) in [
            ("04500001", "長期間利用なし"),
            ("04500003", "一度も利用なし"),
            ("04500004", "無効"),
        ] {
            let line = text.lines().find(|line| line.contains(login)).unwrap();
            assert!(line.ends_with(remark), "{line}");
        }
    }

    #[test]
    fn days_are_those_of_japan() {
        let cells = cells(&accounts()[0], SINCE);
        assert_eq!(cells[5..7], ["2026-03-02", "2026-04-01"]);
    }

    #[test]
    fn a_spreadsheet_reads_the_same() {
        let mut output = Vec::new();
        as_csv(&accounts()[2..3], SINCE, &mut output).unwrap();
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "\u{feff}施設コード,利用者ID,氏名,状態,サインイン方法,登録日,最終サインイン日,確認\n\
             045000,04500003,登録 花子,有効,パスワード,2026-03-02,なし,一度も利用なし\n"
        );
    }
}
