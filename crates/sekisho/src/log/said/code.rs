//! Events of kind `code`.

use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1::{MailFailed, Purpose, Topic, mail_failed};

use super::{Said, Value, lock_seconds, moment};

pub(super) fn said(event: &CodeEvent) -> Said {
    match event {
        CodeEvent::CodeIssued(event) => Said::new("確認コード発行")
            .with_purpose(event.purpose())
            .with("通し番号", "issue", Value::Number(event.issue))
            .with("照合番号", "reference", Value::Text(event.reference.clone()))
            .with_some("期限", "expires_at", moment(event.expires_at.as_ref()))
            .with("鍵", "key_id", Value::Text(event.key_id.clone()))
            .with("根拠", "evidence", Value::Number(event.evidence))
            .with_some(
                "送信見送り",
                "withheld",
                event.withheld.then_some(Value::Flag(true)),
            )
            .with_proved(event.proved),
        CodeEvent::CodeRefused(event) => Said::new("確認コード発行見送り").with_purpose(event.purpose()),
        CodeEvent::MailStarted(event) => Said::new("メール送信開始")
            .with_attempt(event.about, event.attempt)
            .with_some("お知らせ", "topic", topic(event.topic()))
            .with_some("受け持ち期限", "until", moment(event.until.as_ref())),
        CodeEvent::Mailed(event) => Said::new("メール送信済み")
            .with_attempt(event.about, event.attempt)
            .with("応答", "reply", Value::Number(event.reply.into())),
        CodeEvent::MailFailed(event) => failed(event),
        CodeEvent::CodeRejected(event) => Said::new("確認コード不一致")
            .with_purpose(event.purpose())
            .with("通し番号", "issue", Value::Number(event.issue))
            .with("残り回数", "tries_left", Value::Number(event.tries_left.into()))
            .with_some(
                "古いコード",
                "replaced",
                event.replaced.then_some(Value::Flag(true)),
            )
            .with("連続", "in_a_row", Value::Number(event.in_a_row.into()))
            .with_some("ロック秒数", "lock_seconds", lock_seconds(event.lock.as_ref()))
            .with_some("停止", "closes", event.closes.then_some(Value::Flag(true)))
            .with_proved(event.proved),
        CodeEvent::CodeAccepted(event) => Said::new("確認コード一致")
            .with_purpose(event.purpose())
            .with("通し番号", "issue", Value::Number(event.issue))
            .with("根拠", "evidence", Value::Number(event.evidence))
            .with_proved(event.proved),
        CodeEvent::FlowCancelled(_) => Said::new("キャンセル"),
    }
}

/// What a notice tells, in Japanese.
pub fn topic_in_words(topic: Topic) -> &'static str {
    match self::topic(topic) {
        Some(Value::Word(words, _)) => words,
        _ => "不明",
    }
}

fn topic(topic: Topic) -> Option<Value> {
    match topic {
        Topic::Unspecified => None,
        Topic::PasswordChanged => Some(Value::Word("パスワード変更", "password_changed")),
        Topic::Locked => Some(Value::Word("ロック", "locked")),
        Topic::Closed => Some(Value::Word("再設定が必要なロック", "closed")),
        Topic::NewDevice => Some(Value::Word("新しいブラウザ", "new_device")),
        Topic::SignInCodeSpent => Some(Value::Word("サインインの確認コード無効化", "sign_in_code_spent")),
        Topic::ResetCodeSpent => Some(Value::Word("再設定の確認コード無効化", "reset_code_spent")),
        Topic::EmailChanged => Some(Value::Word("電子メール アドレス変更", "email_changed")),
        Topic::FederatedIdentityLinked => Some(Value::Word(
            "NCRアカウントの結び付け",
            "federated_identity_linked",
        )),
        Topic::SignInCodesClosed => Some(Value::Word("サインインの確認コード停止", "sign_in_codes_closed")),
        Topic::ResetCodesClosed => Some(Value::Word("再設定の確認コード停止", "reset_codes_closed")),
    }
}

fn failed(event: &MailFailed) -> Said {
    let class = match event.class() {
        mail_failed::Class::Unspecified => Value::Word("不明", "unspecified"),
        mail_failed::Class::Unreachable => Value::Word("中継サーバー不達", "unreachable"),
        mail_failed::Class::Transient => Value::Word("一時的な拒否", "transient"),
        mail_failed::Class::Permanent => Value::Word("恒久的な拒否", "permanent"),
        mail_failed::Class::Unprepared => Value::Word("準備できず", "unprepared"),
        mail_failed::Class::NoAddress => Value::Word("宛先なし", "no_address"),
        mail_failed::Class::Dead => Value::Word("コード失効", "dead"),
        mail_failed::Class::InDoubt => Value::Word("受領不明", "in doubt"),
    };
    let reply = (event.reply != 0).then(|| Value::Number(event.reply.into()));
    Said::new("メール送信失敗")
        .with_attempt(event.about, event.attempt)
        .with("理由", "class", class)
        .with_some("応答", "reply", reply)
        .with("再試行", "will_retry", Value::Flag(event.will_retry))
}

impl Said {
    fn with_purpose(self, purpose: Purpose) -> Self {
        let word = match purpose {
            Purpose::Unspecified => Value::Word("不明", "unspecified"),
            Purpose::SignIn => Value::Word("サインイン", "sign_in"),
            Purpose::Reset => Value::Word("パスワード再設定", "reset"),
        };
        self.with("目的", "purpose", word)
    }

    /// Whether strangers could have caused it.
    fn with_proved(self, proved: bool) -> Self {
        self.with_some("裏付けあり", "proved", proved.then_some(Value::Flag(true)))
    }

    fn with_attempt(self, about: u64, attempt: u32) -> Self {
        self.with("対象", "about", Value::Number(about)).with(
            "回数",
            "attempt",
            Value::Number(attempt.into()),
        )
    }
}
