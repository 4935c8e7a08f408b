//! Events of kind `session`.

use sekisho_proto::events::SessionEvent;
use sekisho_proto::sessions::v1::session_ended;
use uuid::Uuid;

use super::{Said, Value, id, moment};

pub(super) fn said(event: &SessionEvent) -> Said {
    match event {
        SessionEvent::SessionStarted(event) => Said::new("セッション開始")
            .with(
                "セッション",
                "session_id",
                Value::Ids(ids(std::slice::from_ref(&event.session_id))),
            )
            .with(
                "トークン",
                "token_digest",
                Value::Digest(event.token_digest.clone()),
            )
            .with("発端", "minted", Value::Number(event.minted))
            .with("根拠", "evidence", Value::Numbers(event.evidence.clone()))
            .with_some(
                "終わらせたもの",
                "ended",
                (!event.ended.is_empty()).then(|| Value::Ids(ids(&event.ended))),
            )
            .with_some(
                "新しいブラウザ",
                "new_device",
                event.new_device.then_some(Value::Flag(true)),
            ),
        SessionEvent::SessionExtended(event) => Said::new("セッション延長")
            .with(
                "セッション",
                "session_id",
                Value::Ids(ids(std::slice::from_ref(&event.session_id))),
            )
            .with_some("操作時刻", "active_at", moment(event.active_at.as_ref())),
        SessionEvent::SessionEnded(event) => Said::new("セッション終了")
            .with("セッション", "session_ids", Value::Ids(ids(&event.session_ids)))
            .with("理由", "why", why(event.why())),
        SessionEvent::SessionsCut(_) => Said::new("全セッション切断"),
    }
}

fn why(why: session_ended::Why) -> Value {
    match why {
        session_ended::Why::Unspecified => Value::Word("不明", "unspecified"),
        session_ended::Why::SignedOut => Value::Word("サインアウト", "signed_out"),
        session_ended::Why::Idle => Value::Word("無操作", "idle"),
        session_ended::Why::Absolute => Value::Word("時間切れ", "absolute"),
        session_ended::Why::Cut => Value::Word("切断", "cut"),
        session_ended::Why::Revoked => Value::Word("取り消し", "revoked"),
    }
}

fn ids(ids: &[Vec<u8>]) -> Vec<Uuid> {
    ids.iter().filter_map(|bytes| id(bytes)).collect()
}
