//! Refusals of credentials, in the words of whoever administers accounts.

use sekisho_service::refusal;
use tonic::Status;

use crate::certificates;

/// What was not done, and why: a sentence for what people can mend, else what the service said.
pub(super) fn refused(what: &str, status: &Status) -> anyhow::Error {
    let reason = refusal::reason(status).unwrap_or_default();
    match sentence(&reason) {
        Some(sentence) => anyhow::anyhow!("{what}：{sentence}（{reason}）"),
        None => certificates::refused(what, status),
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
        "ENQUIRY_UNKNOWN" => {
            "この14日間のサインインと再設定に、このお問い合わせ番号はありません。番号を聞き直すか、利用者IDで探してください。"
        }
        "ENQUIRY_INVALID" => "お問い合わせ番号は12桁の数字です（例：0412-7739-2056）。",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_can_mend_is_said_in_their_words() {
        assert!(sentence("ENQUIRY_UNKNOWN").is_some_and(|sentence| sentence.contains("14日間")));
        assert_eq!(sentence("LOG_UNAVAILABLE"), None);
        let down = refused("変更していません", &Status::unavailable("no replica is ready"));
        assert!(down.to_string().contains("no replica is ready"), "{down}");
    }
}
