//! The key that codes are derived from is changed while codes live: first every replica can read the new one, then new
//! codes are made of it, and the old one goes when its last code is dead.

use sekisho_otp::app::Verified;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::refusal::Refuse as _;

use crate::support::{Flow, K1, K2, Mailbox, Relay, Replica, World, code_of};

/// Both sides of each step of a change run at once, while the replicas are replaced one by one.
const STEPS: [[&[&str]; 2]; 3] = [[&[K1], &[K1, K2]], [&[K1, K2], &[K2, K1]], [&[K2, K1], &[K2]]];

async fn is_accepted(replica: &Replica, flow: &Flow, code: &str) -> bool {
    let verified = replica.verify(flow, code).await.unwrap();
    matches!(verified, Verified::Accepted { .. })
}

/// The line of the key that the flow's newest code was made of.
async fn key_of(flow: &Flow) -> &'static str {
    let issued = flow
        .events()
        .await
        .into_iter()
        .rev()
        .find_map(|event| match event {
            CodeEvent::CodeIssued(issued) => Some(issued.key_id),
            _ => None,
        });
    match issued.as_deref() {
        Some("k1") => K1,
        Some("k2") => K2,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_live_on_while_their_key_is_changed() {
    let world = World::new().await;
    for (number, [before, after]) in STEPS.into_iter().enumerate() {
        let before = Replica::keyed(&world, "otp/before", before).await;
        let after = Replica::keyed(&world, "otp/after", after).await;
        // In the last step, codes of the old key are dead before the key goes: they come from `before` no more.
        for (issuing, comparing) in [(&before, &after), (&after, &before)] {
            let flow = world.reset().await;
            issuing.issue(&flow).await.unwrap();
            let code = code_of(key_of(&flow).await, flow.owner, 1);
            assert!(is_accepted(comparing, &flow, &code).await, "step {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_replaced_by_one_of_another_key_is_still_told_apart() {
    let world = World::new().await;
    let before = Replica::keyed(&world, "otp/before", &[K1, K2]).await;
    let after = Replica::keyed(&world, "otp/after", &[K2, K1]).await;
    let flow = world.reset().await;
    before.issue(&flow).await.unwrap();
    world.forward(60, &[&before.log, &after.log]).await;
    after.issue(&flow).await.unwrap();
    let replaced = Verified::Rejected {
        tries_left: 4,
        replaced: true,
    };
    let old = code_of(K1, flow.owner, 1);
    assert_eq!(after.verify(&flow, &old).await.unwrap(), replaced);
    assert!(is_accepted(&before, &flow, &code_of(K2, flow.owner, 2)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_mailed_by_whoever_can_read_its_key() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let issuing = Replica::keyed(&world, "otp/after", &[K2, K1]).await;
    let mailing = Replica::keyed(&world, "otp/before", &[K1, K2]).await;
    let mailing = mailing.work(&relay, Mailbox::Known).await;
    let flow = world.reset().await;
    issuing.issue(&flow).await.unwrap();
    flow.until_types(&["code_issued", "mail_started", "mailed"]).await;
    drop(mailing);
    assert!(relay.text().contains(&code_of(K2, flow.owner, 1)));
}

/// A change that forgot its first step: nothing is counted, and another replica may know.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_without_the_key_sends_people_to_another_and_counts_nothing() {
    let world = World::new().await;
    let before = Replica::keyed(&world, "otp/before", &[K1]).await;
    let after = Replica::keyed(&world, "otp/after", &[K2, K1]).await;
    let flow = world.reset().await;
    after.issue(&flow).await.unwrap();
    let code = code_of(K2, flow.owner, 1);
    let refused = before.verify(&flow, &code).await.unwrap_err();
    assert_eq!(refused.reason(), "OTP_KEY_MISSING");
    assert_eq!(flow.types().await, ["code_issued"]);
    assert!(is_accepted(&after, &flow, &code).await);
}
