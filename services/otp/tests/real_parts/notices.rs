//! Mails that tell what happened to an account.

use std::time::Duration;

use sekisho_otp::domain::NOTICE_PAUSE;
use sekisho_proto::otp::v1::mail_failed::Class;

use crate::support::{Act, Flow, Relay, Replica, Step, World, until};

/// Chance lengthens the first pause by a quarter at most.
const AFTER_A_PAUSE: i64 = NOTICE_PAUSE.whole_seconds() * 5 / 4 + 1;

async fn account(world: &World) -> Flow {
    world.reset().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_three_workers_is_mailed_once() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let mut workers = Vec::new();
    for name in ["otp/a", "otp/b", "otp/c"] {
        workers.push(Replica::worker(&world, name, &relay).await);
    }
    let flow = account(&world).await;
    flow.cut().await;
    flow.until_told(&["mail_started", "mailed"]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let text = relay.text();
    assert!(text.contains("パスワードが変更されました"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_busy_gets_the_notice_later_and_one_that_says_no_does_not() {
    let world = World::new().await;
    let relay = Relay::with_plan(|step, before| match (step, before) {
        (Step::Recipient, 0) => Act::Reply("451 later"),
        (Step::Recipient, 2..) => Act::Reply("550 no"),
        _ => Act::Take,
    })
    .await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = account(&world).await;
    flow.cut().await;
    flow.until_told(&["mail_started", "mail_failed"]).await;
    assert_eq!(flow.notice_failures().await, [(Class::Transient, 451, true)]);
    world.forward(AFTER_A_PAUSE, &[&replica.log]).await;
    flow.until_told(&["mail_started", "mail_failed", "mail_started", "mailed"])
        .await;

    let refused = account(&world).await;
    refused.cut().await;
    refused.until_told(&["mail_started", "mail_failed"]).await;
    assert_eq!(refused.notice_failures().await, [(Class::Permanent, 550, false)]);
}

/// A worker that dies between the relay's 250 and its own event.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_with_a_notice_costs_one_copy_that_can_be_told() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Letter, Act::Hold).await;
    let first = Replica::worker(&world, "otp/a", &relay).await;
    let flow = account(&world).await;
    flow.cut().await;
    relay.until_letters(1).await;
    first.die().await;
    relay.let_go();

    let second = Replica::worker(&world, "otp/b", &relay).await;
    world.forward(81, &[&second.log]).await;
    flow.until_told(&["mail_started", "mail_started", "mailed"]).await;
    let letters = relay.letters();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0], letters[1]);
}

/// The list of codes goes back 20 minutes only.
#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_nobody_worked_is_told_within_the_day() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let (today, yesterday) = (account(&world).await, account(&world).await);
    yesterday.cut().await;
    world.forward(20 * 3_600, &[]).await;
    today.cut().await;
    world.forward(25 * 3_600, &[]).await;
    let _worker = Replica::worker(&world, "otp/a", &relay).await;
    today.until_told(&["mail_started", "mailed"]).await;
    assert_eq!(yesterday.notice_types().await, [""; 0]);
    assert_eq!(relay.letters().len(), 1);
}

/// The newest attempts are read before the event that owes the notice, which is older than the list of codes goes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_was_tried_before_a_restart_is_tried_again() {
    let world = World::new().await;
    let relay = Relay::with_plan(|step, before| match (step, before) {
        (Step::Recipient, 0..3) => Act::Reply("451 later"),
        _ => Act::Take,
    })
    .await;
    let first = Replica::worker(&world, "otp/a", &relay).await;
    let flow = account(&world).await;
    flow.cut().await;
    let mut told = vec!["mail_started", "mail_failed"];
    flow.until_told(&told).await;
    // The pauses are of one, four and sixteen minutes.
    for minutes in [2, 8] {
        world.forward(minutes * 60, &[&first.log]).await;
        told.extend(["mail_started", "mail_failed"]);
        flow.until_told(&told).await;
    }
    first.die().await;
    world.forward(25 * 60, &[]).await;
    let _second = Replica::worker(&world, "otp/b", &relay).await;
    world.forward(29 * 60, &[]).await;
    told.extend(["mail_started", "mailed"]);
    flow.until_told(&told).await;
}

/// Whoever locks an account every few hours must not make the workers ask the log for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_is_not_told_is_asked_for_once() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = account(&world).await;
    flow.lock(1).await;
    flow.until_told(&["mail_started", "mailed"]).await;
    for version in 2..12 {
        flow.lock(version).await;
    }
    until("the list", async || {
        replica.log.head() == world.credentials.head()
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = world.transactions();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let transactions = world.transactions() - before;
    assert!(transactions < 60, "{transactions} transactions in four seconds");
    assert_eq!(flow.notice_types().await, ["mail_started", "mailed"]);
    assert_eq!(relay.letters().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_that_a_slow_relay_holds_keep_no_code_waiting() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Recipient, Act::Hold).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    for _ in 0..6 {
        account(&world).await.cut().await;
    }
    relay.until_recipients(1).await;
    let flow = world.sign_in().await;
    replica.issue(&flow).await.unwrap();
    until("the code's mail", async || {
        flow.types().await == ["code_issued", "mail_started", "mailed"]
    })
    .await;
    // One of the notices is at the relay, and the others wait for it.
    assert_eq!(relay.recipients(), 2);
}

/// What happened in a log that is no more is nobody's business: another event may stand in its place.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_lost_history_is_told() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Recipient, Act::Hold).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let (first, kept) = (account(&world).await, account(&world).await);
    let lost = account(&world).await;
    first.cut().await;
    relay.until_recipients(1).await;
    // While the relay holds the first, this one waits on the list.
    world.go_back_over(async || lost.cut().await).await;
    until("the epoch", async || {
        replica.log.epoch() == world.credentials.epoch()
    })
    .await;
    kept.cut().await;
    relay.let_go();
    kept.until_told(&["mail_started", "mailed"]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(lost.notice_types().await, [""; 0]);
}
