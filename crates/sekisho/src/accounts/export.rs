//! `sekisho accounts export`

use std::io::{self, Write};

use clap::Args;
use csv::Writer;
use sekisho_proto::credentials::v1::Account;

use super::columns::{Column, state};
use super::spreadsheet::{BOM, guarded};
use super::{Credentials, listed};

/// What a list says of each account: what `import` reads, but for passwords.
const COLUMNS: [Column; 7] = [
    Column::LoginId,
    Column::FacilityCode,
    Column::Facility,
    Column::Name,
    Column::Address,
    Column::State,
    Column::NcrSubject,
];

/// Which accounts.
#[derive(Debug, Args)]
pub struct Export {
    /// Those of the facility with this code; without it all.
    #[arg(long, value_name = "CODE", default_value = "")]
    facility: String,
    #[command(flatten)]
    credentials: Credentials,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let accounts = listed::all(&self.credentials, &self.facility).await?.accounts;
        write(&accounts, &mut io::stdout().lock())
    }
}

fn write(accounts: &[Account], output: &mut impl Write) -> anyhow::Result<()> {
    output.write_all(BOM)?;
    let mut writer = Writer::from_writer(output);
    writer.write_record(COLUMNS.map(Column::title))?;
    for account in accounts {
        let cells = COLUMNS.map(|column| cell(account, column));
        writer.write_record(cells.map(|cell| guarded(cell).into_owned()))?;
    }
    Ok(writer.flush()?)
}

fn cell(account: &Account, column: Column) -> &str {
    match column {
        Column::LoginId => &account.login_id,
        Column::FacilityCode => &account.facility_code,
        Column::Facility => &account.facility,
        Column::Name => &account.name,
        Column::Address => &account.address,
        Column::State => state(account.disabled),
        Column::PasswordHash => "",
        Column::NcrSubject => &account.ncr_subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::import::list;

    #[test]
    fn what_is_exported_is_imported_as_it_was() {
        let account = Account {
            login_id: "04500001".to_owned(),
            facility_code: "045000".to_owned(),
            facility: "=HYPERLINK(\"https://example.com\")".to_owned(),
            name: "登録, 花子".to_owned(),
            address: "+81@example.com".to_owned(),
            disabled: true,
            ncr_subject: "-ncr|0001".to_owned(),
            ..Account::default()
        };
        let mut file = Vec::new();
        write(std::slice::from_ref(&account), &mut file).unwrap();
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(
            text.starts_with("\u{feff}利用者ID,施設コード,施設名,氏名,メールアドレス,状態,NCR識別子\n"),
            "{text}"
        );
        assert!(
            !text.contains(",=") && !text.contains(",+") && !text.contains("\"="),
            "{text}"
        );

        let reading = list::Reading {
            encoding: None,
            digits: 8,
        };
        let list = list::read(&file, reading).unwrap();
        assert_eq!(list.ignored.len() + list.broken.len(), 0);
        let row = &list.lines[0].row;
        assert_eq!(
            [
                &row.login_id,
                &row.facility_code,
                &row.facility,
                &row.name,
                &row.address,
                &row.ncr_subject
            ],
            [
                &account.login_id,
                &account.facility_code,
                &account.facility,
                &account.name,
                &account.address,
                &account.ncr_subject
            ]
        );
        assert_eq!(
            row.state(),
            sekisho_proto::credentials::v1::import_row::State::Disabled
        );
    }
}
