use sekisho_proto::Event;
use sekisho_proto::credentials::v1::AccountRegistered;
use sekisho_proto::events::{AccountEvent, SessionEvent};
use sekisho_proto::log::v1::Metadata;
use sekisho_proto::sessions::v1::SessionsCut;
use time::{Duration, OffsetDateTime};

use super::*;

fn lines() -> Vec<Line> {
    let registered = AccountEvent::from(AccountRegistered {
        disabled: false,
        password_is_initial: false,
        facility_code: "0450\u{1b}".to_owned(),
    });
    let cut = SessionEvent::from(SessionsCut {});
    vec![
        line(
            9,
            "account",
            registered.event_type(),
            registered.encode(),
            "credentials/0.1.0",
            "credentials",
        ),
        line(
            10,
            "session",
            cut.event_type(),
            cut.encode(),
            "sessions/0.1.0",
            "demo-administrator",
        ),
        line(
            11,
            "session",
            "session_sung",
            Vec::new(),
            "sessions/9.0.0",
            "sessions",
        ),
    ]
}

fn line(position: i64, kind: &str, event_type: &str, event: Vec<u8>, service: &str, actor: &str) -> Line {
    Line {
        position,
        kind: kind.to_owned(),
        stream: Uuid::from_u128(1),
        version: 1,
        flow: (position == 9).then(|| Uuid::from_u128(2)),
        event_type: event_type.to_owned(),
        recorded_at: OffsetDateTime::UNIX_EPOCH + Duration::hours(position),
        event: Some(event),
        metadata: Metadata {
            actor: actor.to_owned(),
            service: service.to_owned(),
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            command_digest: vec![7; 32],
        },
    }
}

#[test]
fn the_columns_of_the_table_stand_under_each_other() {
    let mut output = Vec::new();
    table(&lines(), true, &mut output).unwrap();
    let expected = "\
位置  日時 (JST)               出来事                             内容
   9  1970-01-01 18:00:00.000  アカウント登録 account_registered  施設コード 0450\\u{1b} · フロー 00000000-0000-0000-0000-000000000002
  10  1970-01-01 19:00:00.000  全セッション切断 sessions_cut      実行者 demo-administrator
  11  1970-01-01 20:00:00.000  session_sung                       この版では読めません
";
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}

#[test]
fn programs_get_one_object_a_line() {
    let mut output = Vec::new();
    json(&lines(), &mut output).unwrap();
    let text = String::from_utf8(output).unwrap();
    let objects: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects[0]["says"]["facility_code"], "0450\u{1b}");
    assert_eq!(objects[0]["flow"], Uuid::from_u128(2).to_string());
    assert_eq!(objects[1]["actor"], "demo-administrator");
    assert_eq!(objects[1]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(objects[1]["recorded_at"], "1970-01-01T10:00:00Z");
    assert!(objects[2]["says"].is_null());
    assert!(!text.contains("0707"), "no digest");
}
