//! Relays that refuse, say nothing, take their time or say no (F7 to F10).

use std::time::Duration;

use sekisho_otp::domain::MailFate;
use sekisho_proto::otp::v1::mail_failed::Class;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use crate::answers::mail;
use crate::support::{Act, Mailbox, Relay, Replica, Step, World, code, until};

/// An address where connections are neither taken nor refused, as long as what comes with it lives.
async fn black_hole() -> (std::net::SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts, so the queue fills.
    let mut queue = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        queue.push(connected.unwrap());
    }
    (address, listener, queue)
}

/// The next one is tried after three seconds, not when the greeting would be late.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_swallows_connections_is_given_up_and_holds_nothing_else() {
    let world = World::new().await;
    let (address, _listener, _queue) = black_hole().await;
    let replica = Replica::new(&world, "otp/a").await;
    let replica = replica
        .work_at(&format!("smtp://{address}"), Mailbox::Known)
        .await;
    let (flow, other) = (world.reset().await, world.reset().await);
    replica.issue(&flow).await.unwrap();
    replica.issue(&other).await.unwrap();
    flow.until_types(&["code_issued", "mail_started"]).await;
    let begun = Instant::now();
    replica.verify(&other, &code(other.owner, 1)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    until("a failure", async || !flow.failures().await.is_empty()).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(flow.failures().await[0], (Class::Unreachable, 0, true));
    // A page that tells of its mail is there while the relay says nothing.
    let sign_in = world.sign_in().await;
    let begun = Instant::now();
    let answer = replica.issue(&sign_in).await.unwrap();
    assert_eq!(mail(answer), Some(MailFate::Waiting));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_of_ten_seconds_is_waited_for() {
    let world = World::new().await;
    let relay = Relay::that(Step::Greeting, Act::Late("220 at last")).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    flow.until_types(&["code_issued", "mail_started", "mailed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_replies_a_byte_a_second_is_given_up_and_asked_again() {
    let world = World::new().await;
    let relay = Relay::that_first(Step::Recipient, Act::Drip("250 as slowly as this")).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    until("the mail", async || flow.types().await.last() == Some(&"mailed")).await;
    assert_eq!(flow.failures().await, [(Class::Unreachable, 0, true)]);
    assert_eq!((relay.recipients(), relay.letters().len()), (2, 1));
}

/// Greylisting for longer than the code lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_says_later_for_ever_is_asked_until_the_code_has_two_minutes() {
    let world = World::new().await;
    let relay = Relay::that(Step::Recipient, Act::Reply("451 later")).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    until("two failures", async || flow.failures().await.len() >= 2).await;
    world.forward(7 * 60 + 50, &[&replica.log]).await;
    let last = (Class::Transient, 451, false);
    until("the last failure", async || {
        flow.failures().await.last() == Some(&last)
    })
    .await;
    let asked = relay.recipients();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(relay.recipients(), asked);
    // Who asks again gets another code, and another round.
    replica.issue(&flow).await.unwrap();
    relay.until_recipients(asked + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_has_no_room_for_a_letter_gets_it_once() {
    let world = World::new().await;
    let relay = Relay::that(Step::Letter, Act::Reply("552 too much")).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    flow.until_types(&["code_issued", "mail_started", "mail_failed"])
        .await;
    assert_eq!(flow.failures().await, [(Class::Permanent, 552, false)]);
    assert_eq!(relay.letters().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_a_no_is_not() {
    let world = World::new().await;
    let relay = Relay::with_plan(|step, before| match (step, before) {
        (Step::Recipient, 0) => Act::Reply("451 later"),
        (Step::Letter, 0) => Act::Reply("452 later"),
        (Step::Recipient, 3..) => Act::Reply("550 no <gantoroku@example.com>"),
        _ => Act::Take,
    })
    .await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    until("the mail", async || flow.types().await.last() == Some(&"mailed")).await;
    assert_eq!(
        flow.failures().await,
        [(Class::Transient, 451, true), (Class::Transient, 452, true)]
    );
    let letters = relay.letters();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0], letters[1]);

    let refused = world.sign_in().await;
    replica.issue(&refused).await.unwrap();
    assert_eq!(refused.failures().await, [(Class::Permanent, 550, false)]);
}

/// It may have taken each of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_never_says_whether_it_took_a_letter_gets_two() {
    let world = World::new().await;
    let relay = Relay::that(Step::Letter, Act::HangUp).await;
    let replica = Replica::worker(&world, "otp/a", &relay).await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    until("two failures", async || flow.failures().await.len() == 2).await;
    assert_eq!(
        flow.failures().await,
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
    flow.until_types(&["code_issued", "mail_started", "mail_failed"])
        .await;
    assert_eq!(flow.failures().await, [(Class::Unreachable, 0, true)]);
    drop(lost);
    let _other = Replica::worker(&world, "otp/b", &relay).await;
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
    let replica = Replica::worker(&world, "otp/b", &relay).await;
    relay.until_recipients(4).await;
    let start = Instant::now();
    for flow in &flows {
        replica.verify(flow, &code(flow.owner, 1)).await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let fifth = timeout(Duration::from_millis(500), relay.until_recipients(5)).await;
    assert!(fifth.is_err(), "more than four mails at once");
}
