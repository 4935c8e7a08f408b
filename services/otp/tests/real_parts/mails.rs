//! One worker and its relay.

use std::time::Duration;

use sekisho_evidence::Refusal;
use sekisho_otp::app::Error;
use sekisho_proto::otp::v1::mail_failed::Class;

use crate::support::{Act, Mailbox, Relay, Replica, Step, World, code, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_brings_the_code_that_is_accepted() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.sign_in().await;
    replica.issue(&flow).await.unwrap();
    let text = relay.text();
    let line = text
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
    let replica = Replica::worker(&world, "otp/a", &relay).await;
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
    flow.until_types(&["code_issued", "mail_started", "mailed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_dies_while_its_mail_is_on_the_way_is_not_mailed() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Recipient, Act::Hold).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_recipients(1).await;
    replica.app.cancel(flow.caller()).await.unwrap();
    relay.let_go();
    flow.until_types(&["code_issued", "mail_started", "flow_cancelled", "mail_failed"])
        .await;
    assert_eq!(flow.failures().await, [(Class::Dead, 0, false)]);

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
        let worker = Replica::worker(&world, name, &relay).await;
        if letters == 1 {
            worker.issue(&flow).await.unwrap();
        } else {
            ahead += 76;
            world.forward(ahead, &[&worker.log]).await;
        }
        relay.until_letters(letters).await;
        worker.die().await;
    }
    let third = Replica::worker(&world, "otp/c", &relay).await;
    world.forward(ahead + 81, &[&third.log]).await;
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
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_recipients(1).await;
    flow.cut().await;
    relay.let_go();
    flow.until_types(&["code_issued", "mail_started", "mail_failed"])
        .await;
    assert_eq!(relay.letters().len(), 0);
}

/// The relay may take 25 s from the last look on, and another worker may claim after 80 s.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_not_handed_over_when_its_claim_may_end_on_the_way() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Recipient, Act::Hold).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_recipients(1).await;
    // The claim still holds for 15 s at most.
    world.forward(60, &[&replica.log]).await;
    relay.let_go();
    until("the first attempt's end", async || {
        flow.failures().await.len() == 1
    })
    .await;
    assert_eq!(flow.failures().await, [(Class::Unprepared, 0, true)]);
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
async fn an_outcome_is_recorded_when_the_log_is_back() {
    let (postgres, world) = World::alone().await;
    let relay = Relay::that(Step::Letter, Act::Hold).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    relay.until_letters(1).await;
    postgres.stop().unwrap();
    relay.let_go();
    // One append gives up after two seconds.
    tokio::time::sleep(Duration::from_secs(4)).await;
    postgres.restart().unwrap();
    flow.until_types(&["code_issued", "mail_started", "mailed"]).await;
    assert_eq!(relay.letters().len(), 1);
}

/// Else nobody may try before the claim has run out, after 80 s.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_answer_was_lost_is_taken_up_by_who_made_it() {
    let (_postgres, world) = World::alone().await;
    let relay = Relay::start().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.sign_in().await;
    replica.issue(&flow).await.unwrap();
    world.wait_for_standby(true);
    let _working = replica.work(&relay, Mailbox::Known).await;
    // One append gives up after two seconds.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(relay.recipients(), 0);
    world.wait_for_standby(false);
    flow.until_types(&["code_issued", "mail_started", "mailed"]).await;
    assert_eq!(relay.letters().len(), 1);
}

/// The code is dead by then, so the state no longer tells what became of its mail.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_whose_commit_takes_long_is_recorded_once() {
    let (_postgres, world) = World::alone().await;
    let relay = Relay::that(Step::Letter, Act::Hold).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
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
    let first = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    first.issue(&flow).await.unwrap();
    relay.until_letters(1).await;
    first.die().await;
    relay.let_go();

    let second = Replica::worker(&world, "otp/b", &relay).await;
    assert_eq!(flow.types().await, ["code_issued", "mail_started"]);
    world.forward(81, &[&second.log]).await;
    relay.until_letters(2).await;
    flow.until_types(&["code_issued", "mail_started", "mail_started", "mailed"])
        .await;
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
    let _worker = Replica::worker(&world, "otp/b", &relay).await;
    fresh
        .until_types(&["code_issued", "mail_started", "mailed"])
        .await;
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
    let _worker = Replica::worker(&world, "otp/b", &relay).await;
    relay.until_letters(1).await;
}
