//! Relays that are encrypted, and those that only pretend to be.

use std::path::Path;
use std::process::Command;

use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_service::tls::Certificates;

use crate::support::{Authority, Begin, Flow, Mailbox, Relay, Replica, World, until};

/// How a relay on `localhost` is named in the settings.
fn url(begin: Begin, relay: &Relay) -> String {
    let address = format!("user:password@localhost:{}", relay.port());
    match begin {
        Begin::AtOnce => format!("smtps://{address}"),
        Begin::WhenAsked => format!("smtp://{address}?tls=required"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_relay_gets_login_and_letter_under_tls_alone() {
    let world = World::new().await;
    let authority = Authority::new();
    let believed = authority.certificates();
    for begin in [Begin::AtOnce, Begin::WhenAsked] {
        let relay = Relay::under_tls(begin, authority.acceptor("localhost")).await;
        gets_login_and_letter(&world, begin, Some(&believed), &relay).await;
    }
}

/// Where a process finds what its system believes, in place of what a distribution has.
const SYSTEM: &str = "SSL_CERT_FILE";

#[test]
fn what_the_system_believes_is_believed_unless_an_authority_is_named() {
    let folder = tempfile::tempdir().unwrap();
    Authority::of(folder.path());
    let status = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tls::a_process_whose_system_believes_another_authority",
            "--ignored",
        ])
        .env(SYSTEM, folder.path().join("ca.pem"))
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "in a process of its own, which the test above starts"]
async fn a_process_whose_system_believes_another_authority() {
    let Ok(file) = std::env::var(SYSTEM) else { return };
    let world = World::new().await;
    let (system, named) = (
        Authority::of(Path::new(&file).parent().unwrap()),
        Authority::new(),
    );
    let begin = Begin::WhenAsked;
    let relay = Relay::under_tls(begin, system.acceptor("localhost")).await;
    gets_nothing(
        &world,
        begin,
        Some(&named.certificates()),
        &relay,
        "of the system",
    )
    .await;
    gets_login_and_letter(&world, begin, None, &relay).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_cannot_prove_its_name_gets_neither_login_nor_letter() {
    let world = World::new().await;
    let (authority, stranger) = (Authority::new(), Authority::new());
    let believed = authority.certificates();
    for begin in [Begin::AtOnce, Begin::WhenAsked] {
        for (acceptor, believed, what) in [
            (
                stranger.acceptor("localhost"),
                Some(&believed),
                "a stranger's authority",
            ),
            (
                authority.acceptor("relay.example"),
                Some(&believed),
                "another name",
            ),
            (
                authority.acceptor("localhost"),
                None,
                "an authority that the system does not know",
            ),
        ] {
            let relay = Relay::under_tls(begin, acceptor).await;
            gets_nothing(&world, begin, believed, &relay, what).await;
        }
    }
}

/// Whoever sits between us and the relay may leave STARTTLS out.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_offers_no_encryption_gets_nothing_where_it_is_required() {
    let world = World::new().await;
    let relay = Relay::start().await;
    gets_nothing(&world, Begin::WhenAsked, None, &relay, "no STARTTLS").await;
}

/// A code that is to be mailed by way of a relay.
async fn issue(
    world: &World,
    begin: Begin,
    believed: Option<&Certificates>,
    relay: &Relay,
) -> (Replica, Flow) {
    let replica = Replica::new(world, "otp/a").await;
    let replica = replica
        .work_with(&url(begin, relay), believed, Mailbox::Known)
        .await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    (replica, flow)
}

async fn gets_login_and_letter(world: &World, begin: Begin, believed: Option<&Certificates>, relay: &Relay) {
    let (replica, flow) = issue(world, begin, believed, relay).await;
    flow.until_types(&["code_issued", "mail_started", "mailed"]).await;
    assert_eq!(relay.letters().len(), 1, "{begin:?}");
    assert_eq!(relay.encrypted(), [true, true], "{begin:?}");
    replica.die().await;
}

async fn gets_nothing(
    world: &World,
    begin: Begin,
    believed: Option<&Certificates>,
    relay: &Relay,
    what: &str,
) {
    let (replica, flow) = issue(world, begin, believed, relay).await;
    until("a failure", async || !flow.failures().await.is_empty()).await;
    assert_eq!(flow.failures().await[0], (Class::Unreachable, 0, true), "{what}");
    assert_eq!(relay.letters().len(), 0, "{what}");
    assert!(relay.encrypted().is_empty(), "{what}: a login");
    replica.die().await;
}
