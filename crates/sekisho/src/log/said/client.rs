//! Events of kind `client`.

use sekisho_proto::credentials::v1::attempts_refused::{Federated, Reason};
use sekisho_proto::credentials::v1::client_throttled::Why;
use sekisho_proto::events::ClientEvent;

use super::{Said, Value};

pub(super) fn said(event: &ClientEvent) -> Said {
    match event {
        ClientEvent::ClientThrottled(event) => Said::new("アドレス制限開始")
            .with("理由", "why", why(event.why()))
            .with_refused(event.attempts, event.forms),
        ClientEvent::AttemptsRefused(event) => {
            let said = Said::new("アドレスごとの拒否").with_refused(event.attempts, event.forms);
            event.federated.iter().fold(said, with_federated)
        }
    }
}

fn with_federated(said: Said, refused: &Federated) -> Said {
    let (label, key) = match refused.reason() {
        Reason::Unspecified => ("NCR：不明", "federated_unspecified"),
        Reason::Cancelled => ("NCR：キャンセル", "federated_cancelled"),
        Reason::Binding => ("NCR：期限切れか別の応答", "federated_binding"),
        Reason::Retry => ("NCR：やり直し", "federated_retry"),
        Reason::ProviderFailed => ("NCR：認証サービスのエラー", "federated_provider_failed"),
        Reason::ProviderUnreachable => (
            "NCR：認証サービスに接続できない",
            "federated_provider_unreachable",
        ),
        Reason::Token => ("NCR：トークンが正しくない", "federated_token"),
    };
    said.with(label, key, Value::Number(refused.attempts))
}

fn why(why: Why) -> Value {
    match why {
        Why::Unspecified => Value::Word("不明", "unspecified"),
        Why::Failures => Value::Word("失敗が多すぎる", "failures"),
        Why::LoginIds => Value::Word("登録のない利用者IDが多すぎる", "login_ids"),
        Why::OneAccount => Value::Word("一つの利用者IDのサインインが多すぎる", "one_account"),
        Why::Resets => Value::Word("再設定の申し込みが多すぎる", "resets"),
    }
}

impl Said {
    fn with_refused(self, attempts: u64, forms: u64) -> Self {
        self.with("拒否した試行", "attempts", Value::Number(attempts))
            .with("拒否したフォーム", "forms", Value::Number(forms))
    }
}
