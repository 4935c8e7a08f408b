//! Events of kind `client`.

use sekisho_proto::credentials::v1::client_throttled::Why;
use sekisho_proto::events::ClientEvent;

use super::{Said, Value};

pub(super) fn said(event: &ClientEvent) -> Said {
    match event {
        ClientEvent::ClientThrottled(event) => Said::new("アドレス制限開始")
            .with("理由", "why", why(event.why()))
            .with_refused(event.attempts, event.forms),
        ClientEvent::AttemptsRefused(event) => {
            Said::new("アドレス制限による拒否").with_refused(event.attempts, event.forms)
        }
    }
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
