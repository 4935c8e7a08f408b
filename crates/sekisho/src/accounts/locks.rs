//! What is locked of an account, in words.

use sekisho_proto::credentials::v1::Account;
use sekisho_proto::credentials::v1::account::{Lock, What};
use sekisho_proto::from_timestamp;
use time::OffsetDateTime;

use crate::text::jst;

/// Each lock with when it ends.
pub(super) fn all(account: &Account) -> Vec<String> {
    account.locks.iter().map(sentence).collect()
}

/// When a lock ends; `None` if it does not end by itself.
pub(super) fn until(lock: &Lock) -> Option<OffsetDateTime> {
    lock.until.as_ref().and_then(from_timestamp)
}

/// For how many minutes more something is locked.
pub(super) fn minutes(until: OffsetDateTime, now: OffsetDateTime) -> i64 {
    ((until - now).whole_seconds() + 59) / 60
}

fn sentence(lock: &Lock) -> String {
    let (what, remedy) = match lock.what() {
        What::UnknownBrowsers => ("確認済みでないブラウザ", "パスワードの再設定が必要"),
        What::KnownBrowser => ("確認済みのブラウザの1つ", "パスワードの再設定が必要"),
        What::SignInCodes => (
            "サインインの確認コード",
            "パスワードの再設定、または unlock が必要",
        ),
        What::ResetCodes => ("再設定の確認コード", "unlock が必要"),
        What::Unspecified => ("この版では分からないもの", "解除が必要"),
    };
    match until(lock) {
        Some(until) => format!("{what}（{}まで）", jst(until)),
        None => format!("{what}（{remedy}）"),
    }
}
