//! Events as sentences.

use sekisho_proto::credentials::v1::{
    LoggedEvent, PasswordAccepted, PasswordRejected, PasswordResetRequested, federated_identity_rejected,
    sign_in_refused,
};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::otp::v1::{CodeIssued, CodeRejected, MailFailed, mail_failed};
use sekisho_proto::{Event, from_timestamp};

use crate::text::{clean, minute};

/// What an event says to somebody who has never seen the log; `None` for what only machines care about.
pub(super) fn sentence(event: &LoggedEvent) -> Option<String> {
    let sentence = match Told::of(event) {
        Told::Account(event) => of_account(&event),
        Told::Code(event) => return of_code(&event),
        Told::Session(event) => return of_session(&event),
        Told::Unknown => format!(
            "この版では説明できない出来事です（{}）。",
            clean(&event.event_type)
        ),
    };
    Some(sentence)
}

/// An event of one of the kinds that make up a sign-in.
pub(super) enum Told {
    Account(AccountEvent),
    Code(CodeEvent),
    Session(SessionEvent),
    /// Of a newer version, or damaged.
    Unknown,
}

impl Told {
    pub fn of(event: &LoggedEvent) -> Self {
        fn read<E: Event>(event: &LoggedEvent) -> Option<E> {
            (event.kind == E::KIND.as_str()).then(|| E::decode(&event.event_type, &event.event).ok())?
        }
        let account = read(event).map(Self::Account);
        let code = || read(event).map(Self::Code);
        let session = || read(event).map(Self::Session);
        account.or_else(code).or_else(session).unwrap_or(Self::Unknown)
    }
}

fn of_account(event: &AccountEvent) -> String {
    match event {
        AccountEvent::AccountRegistered(_) => "アカウントが登録されました。".to_owned(),
        AccountEvent::PasswordAccepted(accepted) => of_accepted(accepted),
        AccountEvent::PasswordRejected(rejected) => of_rejected(rejected),
        AccountEvent::SignInRefused(refused) => match refused.reason() {
            sign_in_refused::Reason::Locked => {
                "ロック中のため、パスワードの正否にかかわらず受け付けませんでした（記録は1分に1回です）。"
                    .to_owned()
            }
            sign_in_refused::Reason::Disabled => {
                "パスワードは一致しましたが、アカウントが無効のため、サインインできませんでした。".to_owned()
            }
            sign_in_refused::Reason::Unspecified => "サインインを受け付けませんでした。".to_owned(),
        },
        AccountEvent::PasswordResetRequested(request) => of_reset(request),
        AccountEvent::PasswordChanged(_) => {
            "確認コードによる再設定で、新しいパスワードが設定されました。すべてのセッションが終了しました。"
                .to_owned()
        }
        AccountEvent::EmailChanged(_) => "管理者がメールアドレスを変更しました。".to_owned(),
        AccountEvent::ProfileChanged(changed) if changed.facility_code.is_empty() => {
            "管理者が氏名または施設名を変更しました。".to_owned()
        }
        AccountEvent::ProfileChanged(_) => {
            "管理者が施設を変更しました。セッションは終了しました。".to_owned()
        }
        AccountEvent::AccountDisabled(_) => {
            "管理者がアカウントを無効にしました。セッションは終了しました。".to_owned()
        }
        AccountEvent::AccountEnabled(_) => "管理者がアカウントを有効にしました。".to_owned(),
        AccountEvent::AccountUnlocked(_) => "管理者がロックを解除しました。".to_owned(),
        AccountEvent::PasswordExpired(_) => {
            "管理者がパスワードを失効させました。セッションは終了しました。".to_owned()
        }
        AccountEvent::AccountErased(_) => "管理者がアカウントを消去しました。".to_owned(),
        AccountEvent::FederatedIdentityLinked(linked) if linked.removed => {
            "管理者がNCRアカウントとの結び付けを外しました。セッションは終了しました。".to_owned()
        }
        AccountEvent::FederatedIdentityLinked(_) => {
            "管理者がNCRアカウントに結び付けました。セッションは終了しました。".to_owned()
        }
        AccountEvent::FederatedIdentityAccepted(_) => {
            "NCRアカウントの認証サービスが本人を確認しました。".to_owned()
        }
        AccountEvent::FederatedIdentityRejected(rejected) => of_unopened(rejected.reason()),
    }
}

fn of_unopened(reason: federated_identity_rejected::Reason) -> String {
    use federated_identity_rejected::Reason;
    match reason {
        Reason::NoAccount => {
            "このNCRアカウントに結び付いたアカウントがないため、サインインできませんでした。"
        }
        Reason::Disabled => {
            "NCRアカウントは確認できましたが、アカウントが無効のため、サインインできませんでした。"
        }
        Reason::FactorMissing => {
            "NCRアカウントで多要素認証が使われなかったため、サインインできませんでした。"
        }
        Reason::Unspecified => "NCRアカウントでのサインインを受け付けませんでした。",
    }
    .to_owned()
}

fn of_accepted(accepted: &PasswordAccepted) -> String {
    let browser = browser(accepted.device_known);
    if accepted.secret_digest.is_empty() {
        format!("{browser}でパスワードが一致しましたが、メールアドレスがないため進めませんでした。")
    } else {
        format!("{browser}でパスワードが一致しました。")
    }
}

fn browser(is_known: bool) -> &'static str {
    if is_known {
        "確認済みのブラウザ"
    } else {
        "確認済みでないブラウザ"
    }
}

fn of_rejected(rejected: &PasswordRejected) -> String {
    if rejected.password_version == 0 {
        return "この利用者IDのアカウントがないため、サインインできませんでした。".to_owned();
    }
    let seconds = rejected.lock.as_ref().map_or(0, |lock| lock.seconds);
    let consequence = if rejected.closes {
        "再設定しないと解除されないロックになりました。".to_owned()
    } else if seconds > 0 {
        format!("{}分間ロックしました。", (seconds + 59) / 60)
    } else if rejected.repeated {
        "前と同じ誤りのため、回数に数えていません。".to_owned()
    } else {
        String::new()
    };
    format!(
        "{}でパスワードが違いました。{consequence}",
        browser(!rejected.device.is_empty())
    )
}

fn of_reset(request: &PasswordResetRequested) -> String {
    if request.password_version > 0 {
        "パスワードは一致しましたが、変更が必要なパスワードでした。".to_owned()
    } else {
        "パスワードの再設定が始められました（利用者IDを知っていれば、誰でも始められます）。".to_owned()
    }
}

fn of_code(event: &CodeEvent) -> Option<String> {
    Some(match event {
        CodeEvent::CodeIssued(issued) => of_issued(issued),
        CodeEvent::CodeRefused(_) => {
            "メールの回数が上限に達したため、確認コードを発行しませんでした。".to_owned()
        }
        // Between the two that matter: owed, and handed over or not.
        CodeEvent::MailStarted(_) => return None,
        CodeEvent::Mailed(mailed) => {
            format!("メールをメールサーバーに渡しました（応答 {}）。", mailed.reply)
        }
        CodeEvent::MailFailed(failed) => of_failed(failed),
        CodeEvent::CodeRejected(rejected) => of_wrong_code(rejected),
        CodeEvent::CodeAccepted(_) => "確認コードが一致しました。".to_owned(),
        CodeEvent::FlowCancelled(_) => "画面の[キャンセル]がクリックされました。".to_owned(),
    })
}

fn of_issued(issued: &CodeIssued) -> String {
    if issued.withheld {
        return "再設定のメールの回数が上限に達したため、送りませんでした。画面には送ったように表示されます。"
            .to_owned();
    }
    let until = issued.expires_at.as_ref().and_then(from_timestamp);
    let until = until.map_or_else(String::new, |until| format!("、{}まで有効", minute(until)));
    format!(
        "確認コードを発行しました（照合番号 {}{until}）。",
        clean(&issued.reference)
    )
}

fn of_failed(failed: &MailFailed) -> String {
    let why = match failed.class() {
        mail_failed::Class::Unspecified => "理由は不明です",
        mail_failed::Class::Unreachable => "メールサーバーに接続できません",
        mail_failed::Class::Transient => "メールサーバーが一時的に受け付けませんでした",
        mail_failed::Class::Permanent if failed.reply == 0 => "このメールアドレスへのメールは作れません",
        mail_failed::Class::Permanent => "メールサーバーが受け取りを拒否しました",
        mail_failed::Class::Unprepared => "送る準備ができませんでした（メールサーバーには接続していません）",
        mail_failed::Class::NoAddress => "送り先がありません（メールアドレスがないか、アカウントが無効です）",
        mail_failed::Class::Dead => "確認コードが無効になっていました",
        mail_failed::Class::InDoubt => "メールサーバーが受け取ったかどうか分かりません",
    };
    let reply = match failed.reply {
        0 => String::new(),
        reply => format!("、応答 {reply}"),
    };
    let then = if failed.will_retry {
        "もう一度送ります。"
    } else {
        "もう送りません。"
    };
    format!("メールを送れませんでした（{why}{reply}）。{then}")
}

fn of_wrong_code(rejected: &CodeRejected) -> String {
    let which = if rejected.replaced {
        "古い確認コードでした"
    } else {
        "確認コードが違いました"
    };
    match rejected.tries_left {
        0 => format!("{which}。この確認コードはもう使えません。"),
        left => format!("{which}（あと{left}回）。"),
    }
}

fn of_session(event: &SessionEvent) -> Option<String> {
    match event {
        SessionEvent::SessionStarted(started) if started.new_device => {
            Some("サインインが完了しました（新しいブラウザ）。".to_owned())
        }
        SessionEvent::SessionStarted(_) => Some("サインインが完了しました。".to_owned()),
        SessionEvent::SessionEnded(_) => Some("セッションが終了しました。".to_owned()),
        SessionEvent::SessionsCut(_) => Some("管理者がセッションを終了させました。".to_owned()),
        SessionEvent::SessionExtended(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use sekisho_proto::credentials::v1::{PasswordAccepted, PasswordChanged, ProfileChanged};
    use sekisho_proto::otp::v1::{MailStarted, Mailed};
    use sekisho_proto::sessions::v1::SessionStarted;

    use super::*;

    fn told<E: Event>(event: &E) -> Option<String> {
        sentence(&LoggedEvent {
            recorded_at: None,
            kind: E::KIND.to_string(),
            event_type: event.event_type().to_owned(),
            event: event.encode(),
        })
    }

    fn of_password(rejected: PasswordRejected) -> String {
        told(&AccountEvent::from(rejected)).unwrap()
    }

    #[test]
    fn a_wrong_password_says_what_came_of_it() {
        let of_account = PasswordRejected {
            password_version: 1,
            ..PasswordRejected::default()
        };
        let locking = PasswordRejected {
            lock: Some(prost_types::Duration {
                seconds: 61,
                nanos: 0,
            }),
            ..of_account.clone()
        };
        assert!(of_password(locking).ends_with("2分間ロックしました。"));
        let repeated = PasswordRejected {
            repeated: true,
            device: vec![1; 32],
            ..of_account.clone()
        };
        let said = of_password(repeated);
        assert!(
            said.starts_with("確認済みのブラウザ") && said.contains("回数に数えていません"),
            "{said}"
        );
        assert!(of_password(of_account).starts_with("確認済みでないブラウザ"));
        assert!(of_password(PasswordRejected::default()).contains("アカウントがないため"));
    }

    #[test]
    fn every_step_is_a_sentence_and_a_claim_is_none() {
        let changed = AccountEvent::from(PasswordChanged::default());
        assert!(told(&changed).unwrap().contains("新しいパスワード"));
        let no_flow = AccountEvent::from(PasswordAccepted::default());
        assert!(told(&no_flow).unwrap().contains("メールアドレスがない"));
        let moved = AccountEvent::from(ProfileChanged {
            facility_code: "0460".to_owned(),
        });
        assert!(told(&moved).unwrap().contains("施設を変更"));
        let mailed = CodeEvent::from(Mailed {
            reply: 250,
            ..Mailed::default()
        });
        assert!(told(&mailed).unwrap().contains("応答 250"));
        assert_eq!(told(&CodeEvent::from(MailStarted::default())), None);
        let started = SessionEvent::from(SessionStarted::default());
        assert!(told(&started).unwrap().contains("完了"));
    }

    #[test]
    fn what_this_version_does_not_know_is_named() {
        let newer = LoggedEvent {
            kind: "account".to_owned(),
            event_type: "passkey_added".to_owned(),
            ..LoggedEvent::default()
        };
        assert!(sentence(&newer).unwrap().contains("passkey_added"));
    }
}
