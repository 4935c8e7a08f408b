//! What the log keeps of a browser.

use sekisho_credentials::sealing::{PersonalKey, SealError};
use sekisho_eventlog::EventId;
use sekisho_proto::credentials::v1::SealedClient;
use sekisho_proto::events::AccountEvent;

use crate::support::{ADDRESS, Bench, LOGIN, PASSWORD, attempt, hash_of};

fn sealed(event: AccountEvent) -> SealedClient {
    match event {
        AccountEvent::PasswordAccepted(accepted) => accepted.client.unwrap(),
        AccountEvent::PasswordRejected(rejected) => rejected.client.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_keeps_of_a_browser_opens_only_with_account_and_event() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let other = bench
        .register_as("04500002", ADDRESS, &hash_of(PASSWORD, 64))
        .await;
    bench.accepted().await;
    let (entry, event) = bench.newest().await;
    let sealed = sealed(event);
    let event_id = entry.recorded.event_id;

    let wrapped = bench.found(LOGIN).await.key;
    let key = PersonalKey::unwrap(&bench.masters, account, &wrapped).unwrap();
    assert_eq!(
        key.open(account, event_id, &sealed.sealed),
        Ok(attempt(LOGIN, PASSWORD).seen)
    );
    assert_eq!(key.open(other, event_id, &sealed.sealed), Err(SealError));
    let another_event = EventId::new(bench.log.now());
    assert_eq!(key.open(account, another_event, &sealed.sealed), Err(SealError));

    let foreign = bench.found("04500002").await.key;
    let foreign = PersonalKey::unwrap(&bench.masters, other, &foreign).unwrap();
    assert_eq!(foreign.open(account, event_id, &sealed.sealed), Err(SealError));
    assert!(PersonalKey::unwrap(&bench.masters, other, &wrapped).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_of_a_phantom_opens_with_the_key_of_its_month() {
    let bench = Bench::new().await;
    bench.sign_in("04500009", PASSWORD).await;
    let (entry, event) = bench.newest().await;
    let event_id = entry.recorded.event_id;
    let opened =
        bench
            .app
            .phantoms()
            .key(event_id)
            .open(entry.recorded.stream, event_id, &sealed(event).sealed);
    assert_eq!(opened, Ok(attempt("", "").seen));
}

/// For limits per address, whoever the attempts are about; `clients.rs` tells how long anybody can lead it back.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_mark_a_day_and_no_two_seals_are_alike() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.accepted().await;
    let first = sealed(bench.newest().await.1);
    bench.sign_in("04500009", PASSWORD).await;
    let second = sealed(bench.newest().await.1);
    assert_eq!(first.address_tag.len(), 16);
    assert_eq!(first.address_tag, second.address_tag);
    assert_ne!(first.sealed, second.sealed);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_name_address_or_browser_stands_in_the_log() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.accepted().await;
    bench.sign_in(LOGIN, "canary password").await;
    bench.reset(LOGIN).await;
    let hex = |text: &str| format!("{:02x?}", text.as_bytes()).replace(['[', ']', ',', ' '], "");
    let dump = bench.sql("select encode(payload, 'hex'), encode(metadata, 'hex'), * from log.entry;");
    let planted = [
        PASSWORD,
        "canary",
        "登録 花子",
        "架空",
        ADDRESS,
        "192.0.2.77",
        LOGIN,
    ];
    for text in planted {
        assert!(!dump.contains(&hex(text)), "{text}");
        assert!(!dump.contains(text), "{text}");
    }
    // The same search finds what is there.
    assert!(dump.contains(&hex("0450000")) && dump.contains("password_accepted"));
}
