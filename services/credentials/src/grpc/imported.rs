//! Rows of an import, as they stand on the wire.

use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::refusal::Refuse as _;
use sekisho_service::settings::Secret;

use crate::app::{Expected, ImportRow, Imported};
use crate::domain::{Change, Declared};

impl From<proto::ImportRow> for ImportRow {
    fn from(row: proto::ImportRow) -> Self {
        let disabled = match row.state() {
            proto::import_row::State::Unspecified => None,
            proto::import_row::State::Enabled => Some(false),
            proto::import_row::State::Disabled => Some(true),
        };
        let expected = match row.expected() {
            proto::import_row::Expected::Unspecified => Expected::Anything,
            proto::import_row::Expected::New => Expected::New,
            proto::import_row::Expected::Known => Expected::Known,
        };
        Self {
            declared: Declared {
                login_id: row.login_id,
                facility_code: row.facility_code,
                facility: row.facility,
                name: row.name,
                address: row.address,
                subject: row.ncr_subject,
                disabled,
            },
            expected,
            password_hash: Secret::new(row.password_hash),
            password_is_initial: row.password_is_initial,
        }
    }
}

impl From<Imported> for proto::ImportedRow {
    fn from(imported: Imported) -> Self {
        let (changes, refusal) = match imported.outcome {
            Ok(changes) => (changes, ""),
            Err(error) => (Vec::new(), error.reason()),
        };
        let login = imported.login.as_ref();
        Self {
            login_id: login.map_or_else(String::new, |login| login.as_str().to_owned()),
            changes: changes
                .into_iter()
                .map(|change| on_the_wire(change).into())
                .collect(),
            refusal: refusal.to_owned(),
        }
    }
}

fn on_the_wire(change: Change) -> proto::imported_row::Change {
    match change {
        Change::Registered => proto::imported_row::Change::Registered,
        Change::Transferred => proto::imported_row::Change::Transferred,
        Change::Renamed => proto::imported_row::Change::Renamed,
        Change::AddressChanged => proto::imported_row::Change::AddressChanged,
        Change::Disabled => proto::imported_row::Change::Disabled,
        Change::Enabled => proto::imported_row::Change::Enabled,
        Change::Linked => proto::imported_row::Change::Linked,
    }
}
