//! Events of kind `system`.

use sekisho_proto::events::SystemEvent;

use super::{Said, Value, moment};

pub(super) fn said(event: &SystemEvent) -> Said {
    match event {
        SystemEvent::EpochStarted(_) => Said::new("ログの再開"),
        SystemEvent::ClockAccepted(event) => Said::new("時計の承認").with_some(
            "直前の記録時刻",
            "instead_of",
            moment(event.instead_of.as_ref()),
        ),
        SystemEvent::MaintenanceChanged(event) => Said::new(if event.closed {
            "メンテナンス開始"
        } else {
            "メンテナンス終了"
        })
        .with("ホスト", "host", Value::Text(event.host.clone())),
    }
}
