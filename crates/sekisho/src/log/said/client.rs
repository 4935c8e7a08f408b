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
        Why::LoginIds => Value::Word("成功しない利用者IDが多すぎる", "login_ids"),
    }
}

impl Said {
    fn with_refused(self, attempts: u64, forms: u64) -> Self {
        self.with("拒否した試行", "attempts", Value::Number(attempts))
            .with("拒否したフォーム", "forms", Value::Number(forms))
    }
}
