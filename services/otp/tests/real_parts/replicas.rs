//! Several workers on one log.

use futures::future::join_all;
use sekisho_dev::Nats;
use sekisho_eventlog::bus;
use sekisho_otp::domain::{MailFate, ViewStage};
use sekisho_service::settings::{BusUrl, Value as _};

use crate::support::{Flow, Mailbox, Relay, Replica, World, until};

const MAILED_ONCE: [&str; 3] = ["code_issued", "mail_started", "mailed"];

async fn three(world: &World, relay: &Relay, nats: Option<&str>) -> Vec<Replica> {
    let mut replicas = Vec::new();
    for name in ["otp/a", "otp/b", "otp/c"] {
        let client = match nats {
            Some(url) => {
                let url = BusUrl::parse(url).unwrap();
                Some(bus::connect(url.server(), url.login(), "otp").await.unwrap())
            }
            None => None,
        };
        let replica = Replica::with_nats(world, name, client).await;
        replicas.push(replica.work(relay, Mailbox::Known).await);
    }
    replicas
}

fn nats() -> &'static Nats {
    Nats::shared().unwrap()
}

async fn flows(world: &World, count: usize) -> Vec<Flow> {
    let mut flows = Vec::new();
    for _ in 0..count {
        flows.push(world.sign_in().await);
    }
    flows
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_workers_without_nats_one_hands_each_mail_over() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let replicas = three(&world, &relay, None).await;
    let flows = flows(&world, 12).await;
    // All asked of one replica: it tells the mail's fate whoever mails it.
    let views = join_all(flows.iter().map(|flow| replicas[0].issue(flow))).await;
    for view in views {
        let stage = view.unwrap().stage;
        let told = matches!(
            stage,
            ViewStage::Live {
                mail: Some(MailFate::HandedOver(_)),
                ..
            }
        );
        assert!(told, "{stage:?}");
    }
    let mut writers = Vec::new();
    for flow in &flows {
        assert_eq!(flow.types().await, MAILED_ONCE);
        writers.extend(flow.writers("mail_started").await);
    }
    assert_eq!(relay.letters().len(), flows.len());
    assert!(writers.iter().any(|writer| writer != "otp/a"), "{writers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_wakes_a_worker_at_once() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let url = tokio::task::spawn_blocking(|| nats().url("otp")).await.unwrap();
    let replicas = three(&world, &relay, Some(&url)).await;
    let mut waits = Vec::new();
    // Who was not woken waits 400 ms at least, every time; who was may have to wait on a busy machine, but not always.
    while !waits.iter().any(|wait| *wait < time::Duration::milliseconds(400)) {
        assert!(waits.len() < 20, "{waits:?}");
        let flow = world.sign_in().await;
        replicas[0].issue(&flow).await.unwrap();
        assert_eq!(flow.types().await, MAILED_ONCE);
        waits.push(flow.between("code_issued", "mail_started").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_issued_while_nats_was_away_is_mailed_once() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let nats = tokio::task::spawn_blocking(|| Nats::start().unwrap())
        .await
        .unwrap();
    let replicas = three(&world, &relay, Some(&nats.url("otp"))).await;
    nats.kill().unwrap();
    let away = world.sign_in().await;
    let view = replicas[0].issue(&away).await.unwrap();
    let told = matches!(
        view.stage,
        ViewStage::Live {
            mail: Some(MailFate::HandedOver(_)),
            ..
        }
    );
    assert!(told, "{view:?}");
    nats.restart().unwrap();

    let back = world.sign_in().await;
    replicas[1].issue(&back).await.unwrap();
    until("both mails", async || back.types().await == MAILED_ONCE).await;
    assert_eq!(away.types().await, MAILED_ONCE);
    assert_eq!(relay.letters().len(), 2);
}
