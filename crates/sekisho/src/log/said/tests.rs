use sekisho_proto::credentials::v1::{PasswordAccepted, SealedClient};
use sekisho_proto::events::{AccountEvent, ClientEvent, CodeEvent, SessionEvent};
use sekisho_proto::log::v1::Metadata;

use super::*;

fn line(kind: Kind, event_type: &str, event: Vec<u8>) -> Line {
    Line {
        position: 1,
        kind: kind.as_str().to_owned(),
        stream: Uuid::nil(),
        version: 1,
        flow: None,
        event_type: event_type.to_owned(),
        recorded_at: OffsetDateTime::UNIX_EPOCH,
        event: Some(event),
        metadata: Metadata::default(),
    }
}

#[test]
fn every_event_has_a_title() {
    let kinds = [
        (Kind::Account, AccountEvent::TYPES),
        (Kind::Client, ClientEvent::TYPES),
        (Kind::Code, CodeEvent::TYPES),
        (Kind::Session, SessionEvent::TYPES),
    ];
    let mut titles = Vec::new();
    for (kind, types) in kinds {
        for event_type in types {
            // Zero bytes are the event with nothing in it.
            let said = Said::by(&line(kind, event_type, Vec::new())).unwrap();
            assert!(
                !titles.contains(&said.title),
                "{} stands for two events",
                said.title
            );
            titles.push(said.title);
        }
    }
}

#[test]
fn what_is_sealed_is_shown_as_such_and_no_digest_in_full() {
    let event = AccountEvent::from(PasswordAccepted {
        secret_digest: vec![0xab; 32],
        password_version: 3,
        client: Some(SealedClient {
            sealed: vec![0xcd; 90],
            address_tag: vec![0xef; 32],
        }),
        device: vec![0x12; 32],
        ..PasswordAccepted::default()
    });
    let said = Said::by(&line(Kind::Account, event.event_type(), event.encode())).unwrap();
    let text: Vec<_> = said.facts.iter().map(|fact| fact.value.text()).collect();
    assert_eq!(
        text,
        ["3", "abababab…", "いいえ", "12121212…", "封印", "efefefef…"]
    );
    let json: Vec<_> = said
        .facts
        .iter()
        .map(|fact| fact.value.json().to_string())
        .collect();
    let expected = [
        "3",
        "\"abababab…\"",
        "false",
        "\"12121212…\"",
        "\"封印\"",
        "\"efefefef…\"",
    ];
    assert_eq!(json, expected);
}

#[test]
fn what_this_version_does_not_know_is_not_guessed() {
    assert_eq!(Said::by(&line(Kind::Code, "code_sung", Vec::new())), None);
    assert_eq!(Said::by(&line(Kind::Code, "code_issued", vec![0xff])), None);
    let mut damaged = line(Kind::Code, "code_issued", Vec::new());
    damaged.event = None;
    assert_eq!(Said::by(&damaged), None);
}
