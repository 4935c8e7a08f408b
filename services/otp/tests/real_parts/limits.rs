//! How many codes are mailed, and how many wrong ones are compared, over all flows and replicas.

use std::time::Duration;

use sekisho_eventlog::StreamId;
use sekisho_otp::app::{Error, Verified};
use sekisho_otp::domain::{TRIES, ViewStage};
use sekisho_proto::refusal::Refuse as _;
use uuid::Builder;

use crate::support::{Flow, Mailbox, Relay, Replica, World, code, wrong};

async fn two(world: &World) -> [Replica; 2] {
    [
        Replica::new(world, "otp/a").await,
        Replica::new(world, "otp/b").await,
    ]
}

fn reason<T: std::fmt::Debug>(answer: Result<T, Error>) -> &'static str {
    answer.unwrap_err().reason()
}

#[tokio::test(flavor = "multi_thread")]
async fn between_two_codes_of_a_flow_there_is_a_minute_and_the_earlier_one_stays_valid() {
    let world = World::new().await;
    let [one, other] = two(&world).await;
    let flow = world.sign_in().await;
    one.issue(&flow).await.unwrap();
    assert_eq!(reason(other.issue(&flow).await), "OTP_TOO_SOON");
    let shown = other.app.view(flow.caller()).await.unwrap();
    let wait = shown.resend_at.unwrap() - shown.now;
    assert!(wait.is_positive() && wait <= time::Duration::MINUTE, "{wait}");
    assert_eq!(flow.types().await, ["code_issued"]);
    let accepted = other.verify(&flow, &code(flow.owner, 1)).await.unwrap();
    assert!(matches!(accepted, Verified::Accepted { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_gets_five_codes_and_an_account_ten_an_hour() {
    let world = World::new().await;
    let [one, other] = two(&world).await;
    let first = world.sign_in().await;
    let mut minutes = 0;
    let issue_five = async |flow: &Flow, minutes: &mut i64| {
        for number in 0..5 {
            [&one, &other][number % 2].issue(flow).await.unwrap();
            *minutes += 1;
            world.forward(*minutes * 60, &[&one.log, &other.log]).await;
        }
    };
    issue_five(&first, &mut minutes).await;
    assert_eq!(reason(other.issue(&first).await), "OTP_TOO_MANY_CODES");
    assert_eq!(reason(one.issue(&first).await), "OTP_TOO_MANY_CODES");
    let refusals = first
        .types()
        .await
        .iter()
        .filter(|name| **name == "code_refused")
        .count();
    assert_eq!(refusals, 1, "one a minute is recorded");
    let second = Flow::sign_in_of(&world.credentials, first.owner.account).await;
    issue_five(&second, &mut minutes).await;
    let third = Flow::sign_in_of(&world.credentials, first.owner.account).await;
    assert_eq!(reason(one.issue(&third).await), "OTP_TOO_MANY_CODES");
    // What was mailed for sign-ins keeps nobody from a reset, nor another account from anything.
    let reset = Flow::reset_of(&world.credentials, first.owner.account).await;
    one.issue(&reset).await.unwrap();
    one.issue(&world.sign_in().await).await.unwrap();
    world.forward(61 * 60, &[&one.log, &other.log]).await;
    one.issue(&Flow::sign_in_of(&world.credentials, first.owner.account).await)
        .await
        .unwrap();
}

/// Fifteen wrong codes in three sign-ins of one account, each begun with the right password.
async fn fifteen_wrong(world: &World, replicas: &[Replica; 2]) -> Flow {
    let mut flow = world.sign_in().await;
    for sign_in in 0..3 {
        if sign_in > 0 {
            flow = Flow::sign_in_of(&world.credentials, flow.owner.account).await;
        }
        replicas[sign_in % 2].issue(&flow).await.unwrap();
        for number in 0..TRIES {
            let answer = replicas[number as usize % 2]
                .verify(&flow, &wrong(flow.owner, number * 1_000))
                .await;
            assert!(matches!(answer, Ok(Verified::Rejected { .. })), "{answer:?}");
        }
    }
    flow
}

/// C-39.
#[tokio::test(flavor = "multi_thread")]
async fn fifteen_wrong_codes_lock_every_sign_in_of_the_account_and_no_right_password_ends_it() {
    let world = World::new().await;
    let replicas = two(&world).await;
    let guessed = fifteen_wrong(&world, &replicas).await;
    let account = guessed.owner.account;
    let fresh = Flow::sign_in_of(&world.credentials, account).await;
    for replica in &replicas {
        assert_eq!(reason(replica.issue(&fresh).await), "OTP_LOCKED");
        assert_eq!(
            reason(replica.verify(&guessed, &code(guessed.owner, 3)).await),
            "OTP_LOCKED"
        );
        for flow in [&guessed, &fresh] {
            let shown = replica.app.view(flow.caller()).await.unwrap();
            assert_eq!(shown.stage, ViewStage::Locked);
        }
    }
    // A reset is the way out, and another account is not concerned.
    let reset = Flow::reset_of(&world.credentials, account).await;
    replicas[0].issue(&reset).await.unwrap();
    replicas[0].issue(&world.sign_in().await).await.unwrap();

    let logs = [&replicas[0].log, &replicas[1].log];
    world.forward(29 * 60, &logs).await;
    assert_eq!(reason(replicas[1].issue(&fresh).await), "OTP_LOCKED");
    world.forward(30 * 60 + 5, &logs).await;
    // Whoever has waited begins anew.
    let later = Flow::sign_in_of(&world.credentials, account).await;
    replicas[1].issue(&later).await.unwrap();
    let accepted = replicas[0].verify(&later, &code(later.owner, 5)).await.unwrap();
    assert!(matches!(accepted, Verified::Accepted { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_or_a_new_password_ends_the_lock_of_codes() {
    let world = World::new().await;
    let replicas = two(&world).await;
    for pardon in ["unlock", "new password"] {
        let guessed = fifteen_wrong(&world, &replicas).await;
        let account = guessed.owner.account;
        let before = Flow::sign_in_of(&world.credentials, account).await;
        assert_eq!(reason(replicas[0].issue(&before).await), "OTP_LOCKED", "{pardon}");
        match pardon {
            "unlock" => guessed.unlock().await,
            _ => guessed.cut().await,
        }
        let after = Flow::sign_in_of(&world.credentials, account).await;
        replicas[1].issue(&after).await.unwrap();
        let answer = replicas[0].verify(&after, &wrong(after.owner, 0)).await;
        assert!(
            matches!(answer, Ok(Verified::Rejected { tries_left: 4, .. })),
            "{answer:?}"
        );
    }
}

/// What strangers type in resets of an account closes neither its sign-ins nor its owner's resets.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_of_resets_lock_resets_only() {
    let world = World::new().await;
    let [one, other] = two(&world).await;
    let mut reset = world.reset().await;
    for number in 0..3 {
        if number > 0 {
            reset = Flow::reset_of(&world.credentials, reset.owner.account).await;
        }
        one.issue(&reset).await.unwrap();
        for number in 0..TRIES {
            other
                .verify(&reset, &wrong(reset.owner, number * 1_000))
                .await
                .unwrap();
        }
    }
    let next = Flow::reset_of(&world.credentials, reset.owner.account).await;
    assert_eq!(reason(other.issue(&next).await), "OTP_LOCKED");
    let sign_in = Flow::sign_in_of(&world.credentials, reset.owner.account).await;
    other.issue(&sign_in).await.unwrap();
}

/// Whoever makes login ids up must not have the log filled with mails that nobody gets.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_id_that_nobody_has_owes_no_mail_and_no_notice() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let replica = Replica::new(&world, "otp/a")
        .await
        .work(&relay, Mailbox::Phantom)
        .await;
    let phantom = StreamId(Builder::from_custom_bytes([7; 16]).into_uuid());
    let flow = Flow::reset_of(&world.credentials, phantom).await;
    replica.issue(&flow).await.unwrap();
    for number in 0..TRIES {
        replica
            .verify(&flow, &wrong(flow.owner, number * 1_000))
            .await
            .unwrap();
    }
    // Longer than a worker leaves a mail alone; a real account's is tried meanwhile.
    let real = world.reset().await;
    replica.issue(&real).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), async {
        while !real.types().await.contains(&"mail_failed") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    let types = flow.types().await;
    assert_eq!(types.len(), 6, "{types:?}");
    assert!(flow.notice_types().await.is_empty());
}
