//! Refusals of credentials, in the words of whoever administers accounts.

use sekisho_service::refusal;
use tonic::{Code, Status};

use crate::certificates;

/// What was not done, and why: a sentence for what people can mend, else what the service said.
pub(super) fn refused(what: &str, status: &Status) -> anyhow::Error {
    let reason = refusal::reason(status).unwrap_or_default();
    match (sentence(&reason), silence(status.code())) {
        (Some(sentence), _) => anyhow::anyhow!("{what}：{sentence}（{reason}）"),
        (None, Some(silence)) => {
            let code = if reason.is_empty() {
                format!("{:?}", status.code())
            } else {
                reason
            };
            anyhow::anyhow!("{what}：{silence}（{code}、{}）", status.message())
        }
        (None, None) => certificates::refused(what, status),
    }
}

/// What was not done to an account; or that nobody knows, when the answer was lost: it may have been done all the same.
pub(super) fn not_done(what: &str, login: &str, status: &Status) -> anyhow::Error {
    let what = if silence(status.code()).is_some() {
        format!(
            "結果が分かりません。変更されている場合があります。sekisho accounts show {login} で確かめてください"
        )
    } else {
        what.to_owned()
    };
    refused(&what, status)
}

/// Whether a call has ended without a word of the service about what it has done.
pub(super) fn is_answer_lost(status: &Status) -> bool {
    silence(status.code()).is_some()
}

fn silence(code: Code) -> Option<&'static str> {
    match code {
        Code::DeadlineExceeded => Some("時間内に応答がありませんでした"),
        Code::Unavailable => Some("認証サービスに接続できないか、応答が失われました"),
        Code::Cancelled | Code::Unknown | Code::Internal => Some("認証サービスが途中で止まりました"),
        _ => None,
    }
}

fn sentence(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "ACCOUNT_UNKNOWN" => "この利用者IDのアカウントはありません。",
        "ACCOUNT_EXISTS" => "この利用者IDのアカウントは、すでにあります。",
        "LOGIN_ID_INVALID" => "利用者IDが空か、長すぎるか、使えない文字があります。",
        "FACILITY_CODE_INVALID" => "施設コードは、半角の英数字とハイフンで、32文字以内にしてください。",
        "FACILITY_INVALID" => "施設名が空か、長すぎるか、使えない文字があります。",
        "NAME_INVALID" => "氏名が空か、長すぎるか、使えない文字があります。",
        "ADDRESS_INVALID" => "メールアドレスの形式が正しくありません。",
        "NCR_SUBJECT_INVALID" => "NCR識別子は、半角の英数字と記号で、255文字以内にしてください。",
        "NCR_SUBJECT_TAKEN" => "このNCR識別子は、別のアカウントに結び付いています。",
        "PROVIDER_MISSING" => {
            "NCRアカウントの認証サービスが設定されていません。運用担当者に SEKISHO_CREDENTIALS_NCR_ISSUER の設定を依頼してください。"
        }
        "ENQUIRY_UNKNOWN" => {
            "この14日間のサインインと再設定に、このお問い合わせ番号はありません。番号を聞き直すか、利用者IDで探してください。サインインの途中でない画面（「リクエストが多すぎます」など）の番号は、運用担当者がゲートウェイのログの enquiry で探せます。"
        }
        "ENQUIRY_INVALID" => "お問い合わせ番号は12桁の数字です（例：0412-7739-2056）。",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever is told that nothing was changed does it again, or leaves it.
    #[test]
    fn what_nobody_knows_is_not_called_undone() {
        let lost = not_done(
            "変更していません",
            "04500001",
            &Status::deadline_exceeded("too late"),
        );
        let lost = lost.to_string();
        assert!(
            lost.contains("結果が分かりません") && lost.contains("show 04500001"),
            "{lost}"
        );
        assert!(!lost.contains("変更していません"), "{lost}");
        let refused = not_done(
            "変更していません",
            "04500001",
            &Status::permission_denied("not you"),
        );
        assert!(refused.to_string().starts_with("変更していません"), "{refused}");
    }

    #[test]
    fn what_people_can_mend_is_said_in_their_words() {
        assert!(sentence("ENQUIRY_UNKNOWN").is_some_and(|sentence| sentence.contains("14日間")));
        assert_eq!(sentence("LOG_UNAVAILABLE"), None);
        let down = refused("変更していません", &Status::unavailable("no replica is ready"));
        let down = down.to_string();
        assert!(
            down.contains("no replica is ready") && down.contains("接続できない"),
            "{down}"
        );
    }
}
