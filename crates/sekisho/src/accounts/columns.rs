//! The columns of a list of accounts.

use unicode_normalization::UnicodeNormalization as _;

/// What a column says of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    LoginId,
    FacilityCode,
    Facility,
    Name,
    Address,
    State,
    PasswordHash,
    NcrSubject,
}

/// Each column with its titles: the first is how it is called here, and the last is for programs.
const TITLES: [(Column, &[&str]); 8] = [
    (Column::LoginId, &["利用者ID", "login_id"]),
    (Column::FacilityCode, &["施設コード", "facility_code"]),
    (Column::Facility, &["施設名", "施設", "facility"]),
    (Column::Name, &["氏名", "name"]),
    (
        Column::Address,
        &["メールアドレス", "電子メールアドレス", "email", "address"],
    ),
    (Column::State, &["状態", "state"]),
    (Column::PasswordHash, &["パスワードハッシュ", "password_hash"]),
    (Column::NcrSubject, &["NCR識別子", "ncr_subject"]),
];

impl Column {
    /// The column that has a title, however wide its letters and whatever the case.
    pub fn titled(title: &str) -> Option<Self> {
        let plain = |title: &str| -> String {
            let folded = title.nfkc().filter(|c| !c.is_whitespace());
            folded.flat_map(char::to_lowercase).collect()
        };
        let wanted = plain(title);
        let mut columns = TITLES.iter();
        let (column, _) = columns.find(|(_, titles)| titles.iter().any(|known| plain(known) == wanted))?;
        Some(*column)
    }

    /// How it is called here.
    pub fn title(self) -> &'static str {
        let of_this = TITLES.iter().find(|(column, _)| *column == self);
        of_this.map_or("", |(_, titles)| titles[0])
    }
}

/// What the column 状態 says.
pub(crate) fn state(disabled: bool) -> &'static str {
    if disabled { "無効" } else { "有効" }
}

/// Whether nobody may sign in, as the column 状態 says it.
pub(crate) fn disabled(state: &str) -> Option<bool> {
    match state {
        "有効" | "enabled" => Some(false),
        "無効" | "disabled" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_known_however_wide_it_is_written() {
        assert_eq!(Column::titled("利用者ＩＤ "), Some(Column::LoginId));
        assert_eq!(Column::titled("電子メール アドレス"), Some(Column::Address));
        assert_eq!(Column::titled("Password_Hash"), Some(Column::PasswordHash));
        assert_eq!(Column::titled("備考"), None);
    }

    #[test]
    fn a_state_is_read_as_it_is_written() {
        for is_disabled in [false, true] {
            assert_eq!(disabled(state(is_disabled)), Some(is_disabled));
        }
        assert_eq!(disabled("停止"), None);
    }

    #[test]
    fn every_title_is_of_one_column() {
        for (column, titles) in TITLES {
            for title in titles {
                assert_eq!(Column::titled(title), Some(column), "{title}");
            }
            assert_eq!(Column::titled(column.title()), Some(column));
        }
    }
}
