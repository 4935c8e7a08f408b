use std::io::Write;

use sekisho_eventlog::{EventId, StreamId};
use sekisho_proto::credentials::v1::Client;
use sekisho_service::settings::KeyRing;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::domain::SubjectIdentifier;

fn ring(lines: &[(&str, u8)]) -> KeyRing {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (id, byte) in lines {
        writeln!(file, "{id} {}", format!("{byte:02x}").repeat(32)).unwrap();
    }
    KeyRing::read(file.path()).unwrap()
}

pub fn phantoms() -> Phantoms {
    Phantoms::new(ring(&[("1", 1)]))
}

fn account(number: u128) -> StreamId {
    StreamId(Uuid::from_u128(number))
}

fn event(at: time::OffsetDateTime) -> EventId {
    EventId::new(at)
}

fn seen() -> Seen {
    Seen::from(Client {
        address: "192.0.2.77".to_owned(),
        user_agent: "canary".to_owned(),
    })
}

#[test]
fn a_seal_opens_only_for_its_account_and_event() {
    let key = PersonalKey::random();
    let (one, other) = (
        event(datetime!(2026-03-02 0:00 UTC)),
        event(datetime!(2026-03-02 0:00 UTC)),
    );
    let sealed = key.seal(account(1), one, &seen()).unwrap();

    assert_eq!(key.open(account(1), one, &sealed), Ok(seen()));
    assert_eq!(key.open(account(2), one, &sealed), Err(SealError));
    assert_eq!(key.open(account(1), other, &sealed), Err(SealError));
    assert_eq!(
        PersonalKey::random().open(account(1), one, &sealed),
        Err(SealError)
    );
    for byte in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[byte] ^= 1;
        assert_eq!(key.open(account(1), one, &damaged), Err(SealError));
    }
    assert_eq!(key.open(account(1), one, &sealed[..20]), Err(SealError));
}

#[test]
fn two_seals_of_one_browser_are_not_alike() {
    let key = PersonalKey::random();
    let one = event(datetime!(2026-03-02 0:00 UTC));
    let first = key.seal(account(1), one, &seen()).unwrap();
    assert_ne!(first, key.seal(account(1), one, &seen()).unwrap());
}

#[test]
fn a_wrapped_key_opens_for_its_account_and_while_its_master_key_is_kept() {
    let masters = ring(&[("2026-03", 1)]);
    let key = PersonalKey::random();
    let wrapped = key.wrap(&masters, account(1)).unwrap();
    assert_eq!(wrapped.master_id, "2026-03");

    let one = event(datetime!(2026-03-02 0:00 UTC));
    let sealed = key.seal(account(1), one, &seen()).unwrap();
    let rotated = ring(&[("2026-04", 2), ("2026-03", 1)]);
    let unwrapped = PersonalKey::unwrap(&rotated, account(1), &wrapped).unwrap();
    assert_eq!(unwrapped.open(account(1), one, &sealed), Ok(seen()));

    assert!(PersonalKey::unwrap(&rotated, account(2), &wrapped).is_err());
    assert!(PersonalKey::unwrap(&ring(&[("2026-04", 2)]), account(1), &wrapped).is_err());
    assert!(PersonalKey::unwrap(&ring(&[("2026-03", 3)]), account(1), &wrapped).is_err());
}

#[test]
fn a_phantom_is_one_stream_per_login_id_and_key() {
    let phantoms = phantoms();
    let stream = phantoms.stream("04500009");
    assert_eq!(stream, phantoms.stream("04500009"));
    assert_ne!(stream, phantoms.stream("04500008"));
    assert_ne!(stream, Phantoms::new(ring(&[("1", 2)])).stream("04500009"));
    assert_eq!(stream.0.get_version_num(), 8);
}

#[test]
fn a_person_whom_only_the_provider_knows_is_one_stream_per_issuer_and_subject() {
    let stream = |issuer, subject: &str| {
        phantoms().stream_of_identity(issuer, &SubjectIdentifier::try_from(subject).unwrap())
    };
    let one = stream("https://ncr.example.jp", "04500009");
    assert_eq!(one, stream("https://ncr.example.jp", "04500009"));
    assert_ne!(one, stream("https://ncr.example.jp", "04500008"));
    assert_ne!(one, stream("https://other.example.jp", "04500009"));
    assert_ne!(one, phantoms().stream("04500009"));
    assert_eq!(one.0.get_version_num(), 8);
}

#[test]
fn phantoms_share_one_key_a_month() {
    let phantoms = phantoms();
    let (first, last) = (
        event(datetime!(2026-03-01 0:00 UTC)),
        event(datetime!(2026-03-31 23:59:59 UTC)),
    );
    let sealed = phantoms.key(first).seal(account(1), first, &seen()).unwrap();
    assert_eq!(phantoms.key(last).open(account(1), first, &sealed), Ok(seen()));
    let april = event(datetime!(2026-04-01 0:00 UTC));
    assert_eq!(
        phantoms.key(april).open(account(1), first, &sealed),
        Err(SealError)
    );
}
