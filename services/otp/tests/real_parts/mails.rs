//! One worker and its relay.

use std::time::Duration;

use sekisho_evidence::Refusal;
use sekisho_otp::app::Error;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1::mail_failed::Class;
use tokio::time::{Instant, timeout};

use crate::support::{Act, Flow, Mailbox, Relay, Replica, Step, World, code, until};

async fn worker(world: &World, name: &str, relay: &Relay) -> Replica {
    Replica::new(world, name).await.work(relay, Mailbox::Known).await
}

async fn until_types(flow: &Flow, types: &[&str]) {
    until("events", async || flow.types().await == types).await;
}

/// Class, reply code, whether another attempt follows.
async fn failures(flow: &Flow) -> Vec<(Class, u32, bool)> {
    let events = flow.events().await;
    let failed = events.into_iter().filter_map(|event| match event {
        CodeEvent::MailFailed(failed) => Some((failed.class(), failed.reply, failed.will_retry)),
        _ => None,
    });
    failed.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_brings_the_code_that_is_accepted() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let replica = worker(&world, "otp/a", &relay).await;
    let flow = world.sign_in().await;
    replica.issue(&flow).await.unwrap();
    let letters = relay.letters();
    let letter = mailparse::parse_mail(letters[0].as_bytes()).unwrap();
    let letter = letter.subparts[0].get_body().unwrap();
    let line = letter
        .lines()
        .find_map(|line| line.strip_prefix("確認コード："))
        .unwrap();
    assert_eq!(line, code(flow.owner, 1));
    replica.verify(&flow, line).await.unwrap();
    assert_eq!(
        flow.types().await,
        ["code_issued", "mail_started", "mailed", "code_accepted"]
    );
}

/// The mail of the log as it is now is about the position of one that hangs at the relay and belongs to the lost one.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_begins_anew_with_the_log_that_took_the_place_of_its_own() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Recipient, Act::Hold).await;
    let replica = worker(&world, "otp/a", &relay).await;
    let before = world.sign_in().await;
    let meanwhile = async || {
        world.sign_in().await;
        let lost = world.sign_in().await;
        replica.issue(&lost).await.unwrap();
    };
    world.go_back_over(meanwhile).await;
    let refused = Err(Error::Flow(Refusal::Cut));
    until("the epoch", async || {
        replica.issue(&before).await.map(drop) == refused
    })
    .await;

    let flow = world.sign_in().await;
    replica.issue(&flow).await.unwrap();
    until_types(&flow, &["code_issued", "mail_started", "mailed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_dies_while_its_mail_is_on_the_way_is_not_mailed() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Recipient, Act::Hold).await;
    let replica = worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_recipients(1).await;
    replica.app.cancel(flow.caller()).await.unwrap();
    relay.let_go();
    until_types(
        &flow,
        &["code_issued", "mail_started", "flow_cancelled", "mail_failed"],
    )
    .await;
    assert_eq!(failures(&flow).await, [(Class::Dead, 0, false)]);

    // Not over the connection on which the first mail is still open.
    let next = world.sign_in().await;
    replica.issue(&next).await.unwrap();
    assert_eq!(relay.letters().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_die_again_and_again_cost_one_copy() {
    let world = World::new().await;
    let relay = Relay::that(Step::Letter, Act::Hold).await;
    let flow = world.reset().await;
    let mut ahead = 0;
    for (name, letters) in [("otp/a", 1), ("otp/b", 2)] {
        let worker = worker(&world, name, &relay).await;
        if letters == 1 {
            worker.issue(&flow).await.unwrap();
        } else {
            ahead += 76;
            world.forward(ahead, &[&worker.log]).await;
        }
        relay.until_letters(letters).await;
        worker.die().await;
    }
    let third = worker(&world, "otp/c", &relay).await;
    world.forward(ahead + 76, &[&third.log]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(relay.letters().len(), 2);
    assert_eq!(
        flow.types().await,
        ["code_issued", "mail_started", "mail_started"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_a_cut_ends_while_its_mail_is_on_the_way_gets_none() {
    let world = World::new().await;
    let relay = Relay::that(Step::Recipient, Act::Hold).await;
    let replica = worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_recipients(1).await;
    flow.cut().await;
    relay.let_go();
    until_types(&flow, &["code_issued", "mail_started", "mail_failed"]).await;
    assert_eq!(relay.letters().len(), 0);
}

/// The relay may take 25 s from the last look on, and another worker may claim after 75 s.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_not_handed_over_when_its_claim_may_end_on_the_way() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Recipient, Act::Hold).await;
    let replica = worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_recipients(1).await;
    // The claim still holds for 15 s at most.
    world.forward(60, &[&replica.log]).await;
    relay.let_go();
    until("the first attempt's end", async || {
        failures(&flow).await.len() == 1
    })
    .await;
    assert_eq!(failures(&flow).await, [(Class::Unreachable, 0, true)]);
    until("the mail", async || flow.types().await.last() == Some(&"mailed")).await;
    assert_eq!(relay.letters().len(), 1);
}

/// A claim that fails at once, whatever the reason, must not be tried again without a pause.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_cannot_claim_does_not_try_all_the_time() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    flow.spoil(&replica.log).await;
    let _working = replica.work(&relay, Mailbox::Known).await;
    let before = world.transactions();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let transactions = world.transactions() - before;
    assert!(transactions < 500, "{transactions} transactions in three seconds");
    assert_eq!(relay.recipients(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_a_no_is_not() {
    let world = World::new().await;
    let relay = Relay::with_plan(|step, before| match (step, before) {
        (Step::Recipient, 0) => Act::Reply("451 later"),
        (Step::Letter, 0) => Act::Reply("452 later"),
        (Step::Recipient, 3..) => Act::Reply("550 no <gantoroku@example.com>"),
        _ => Act::Reply("250 ok"),
    })
    .await;
    let replica = worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    until("the mail", async || flow.types().await.last() == Some(&"mailed")).await;
    assert_eq!(
        failures(&flow).await,
        [(Class::Transient, 451, true), (Class::Transient, 452, true)]
    );
    let letters = relay.letters();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0], letters[1]);

    let refused = world.sign_in().await;
    replica.issue(&refused).await.unwrap();
    assert_eq!(failures(&refused).await, [(Class::Permanent, 550, false)]);
}

/// It may have taken each of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_never_says_whether_it_took_a_letter_gets_two() {
    let world = World::new().await;
    let relay = Relay::that(Step::Letter, Act::HangUp).await;
    let replica = worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    until("two failures", async || failures(&flow).await.len() == 2).await;
    assert_eq!(
        failures(&flow).await,
        [(Class::InDoubt, 0, true), (Class::InDoubt, 0, false)]
    );
    let letters = relay.letters();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0], letters[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_away_is_waited_for() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nowhere.local_addr().unwrap();
    drop(nowhere);
    let lost = Replica::new(&world, "otp/a")
        .await
        .work_at(&format!("smtp://{address}"), Mailbox::Known)
        .await;
    let flow = world.reset().await;
    lost.issue(&flow).await.unwrap();
    until_types(&flow, &["code_issued", "mail_started", "mail_failed"]).await;
    assert_eq!(failures(&flow).await, [(Class::Unreachable, 0, true)]);
    drop(lost);
    let _other = worker(&world, "otp/b", &relay).await;
    relay.until_letters(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_recorded_when_the_log_is_back() {
    let (postgres, world) = World::alone().await;
    let relay = Relay::that(Step::Letter, Act::Hold).await;
    let replica = worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_letters(1).await;
    postgres.stop().unwrap();
    relay.let_go();
    // One append gives up after two seconds.
    tokio::time::sleep(Duration::from_secs(4)).await;
    postgres.restart().unwrap();
    until_types(&flow, &["code_issued", "mail_started", "mailed"]).await;
    assert_eq!(relay.letters().len(), 1);
}

/// The code is dead by then, so the state no longer tells what became of its mail.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_whose_commit_takes_long_is_recorded_once() {
    let (_postgres, world) = World::alone().await;
    let relay = Relay::that(Step::Letter, Act::Hold).await;
    let replica = worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_letters(1).await;
    replica.app.cancel(flow.caller()).await.unwrap();
    world.wait_for_standby(true);
    relay.let_go();
    // The worker has tried more than once.
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.wait_for_standby(false);
    until("the outcome", async || flow.types().await.contains(&"mailed")).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let types = flow.types().await;
    assert_eq!(
        types.iter().filter(|kind| **kind == "mailed").count(),
        1,
        "{types:?}"
    );
}

/// A worker that dies between the relay's 250 and its own event.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_after_the_hand_over_costs_one_copy_that_can_be_told() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Letter, Act::Hold).await;
    let first = worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    first.issue(&flow).await.unwrap();
    relay.until_letters(1).await;
    first.die().await;
    relay.let_go();

    let second = worker(&world, "otp/b", &relay).await;
    assert_eq!(flow.types().await, ["code_issued", "mail_started"]);
    world.forward(76, &[&second.log]).await;
    relay.until_letters(2).await;
    until_types(&flow, &["code_issued", "mail_started", "mail_started", "mailed"]).await;
    let letters = relay.letters();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0], letters[1]);
    assert!(letters[0].contains("Message-ID: <"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_in_its_last_two_minutes_is_not_mailed() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let idle = Replica::new(&world, "otp/a").await;
    let (late, fresh) = (world.reset().await, world.reset().await);
    idle.issue(&late).await.unwrap();
    world.forward(8 * 60 + 1, &[&idle.log]).await;
    idle.issue(&fresh).await.unwrap();
    let _worker = worker(&world, "otp/b", &relay).await;
    until_types(&fresh, &["code_issued", "mail_started", "mailed"]).await;
    assert_eq!(late.types().await, ["code_issued"]);
    assert_eq!(relay.letters().len(), 1);
}

/// In a roll-out the new version writes while replicas of the old one still start.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_kind_that_this_version_does_not_know_keeps_no_worker_from_its_mails() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let idle = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    // Where the search for the beginning of the list looks, however it goes.
    world.record_unknown_kinds(8);
    idle.issue(&flow).await.unwrap();
    let _worker = worker(&world, "otp/b", &relay).await;
    relay.until_letters(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_relay_holds_four_mails_and_nothing_else() {
    let world = World::new().await;
    let relay = Relay::that(Step::Recipient, Act::Hold).await;
    let idle = Replica::new(&world, "otp/a").await;
    let mut flows = Vec::new();
    for _ in 0..6 {
        let flow = world.reset().await;
        idle.issue(&flow).await.unwrap();
        flows.push(flow);
    }
    // After all of that: a worker waits 5 s for a reply, and then takes the next mail.
    let replica = worker(&world, "otp/b", &relay).await;
    relay.until_recipients(4).await;
    let start = Instant::now();
    for flow in &flows {
        replica.verify(flow, &code(flow.owner, 1)).await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let fifth = timeout(Duration::from_millis(500), relay.until_recipients(5)).await;
    assert!(fifth.is_err(), "more than four mails at once");
}
