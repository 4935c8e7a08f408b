//! What a flow goes through.

use sekisho_eventlog::Position;
use sekisho_evidence::CommandId;
use sekisho_otp::app::Verified;
use sekisho_otp::domain::ViewStage;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::refusal::Refuse as _;

use crate::support::{Flow, Replica, World, code, wrong};

const REJECTED: fn(u32) -> Verified = |tries_left| Verified::Rejected {
    tries_left,
    replaced: false,
};

fn form(number: u8) -> CommandId {
    CommandId::from([number; 16])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_proves_the_address_once_and_for_all() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    assert!(matches!(
        replica.app.view(flow.caller()).await.unwrap().stage,
        ViewStage::NotSent
    ));
    let issued = replica.issue(&flow).await.unwrap();
    assert!(matches!(issued.stage, ViewStage::Live { tries_left: 5, .. }));

    let accepted = Verified::Accepted {
        position: Position(3),
    };
    assert_eq!(
        replica.verify(&flow, &code(flow.owner, 1)).await.unwrap(),
        accepted
    );
    // Back, and typed once more; and even with other digits.
    assert_eq!(
        replica.verify(&flow, &code(flow.owner, 1)).await.unwrap(),
        accepted
    );
    assert_eq!(
        replica.verify(&flow, &wrong(flow.owner, 0)).await.unwrap(),
        accepted
    );
    let again = replica.issue(&flow).await.unwrap();
    assert_eq!(again.stage, ViewStage::Verified);
    assert_eq!(flow.types().await, ["code_issued", "code_accepted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_form_gets_its_first_answer() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    replica.app.issue(flow.caller(), form(1)).await.unwrap();
    replica.app.issue(flow.caller(), form(1)).await.unwrap();
    assert_eq!(flow.types().await, ["code_issued"]);

    let digits = wrong(flow.owner, 0);
    for _ in 0..3 {
        let answer = replica.verify_form(&flow, &digits, form(2)).await.unwrap();
        assert_eq!(answer, REJECTED(4));
    }
    let other = replica
        .verify_form(&flow, &wrong(flow.owner, 500_000), form(2))
        .await;
    assert_eq!(other.unwrap(), REJECTED(3));
    replica.verify(&flow, &code(flow.owner, 1)).await.unwrap();
    let late = replica.verify_form(&flow, &digits, form(2)).await.unwrap();
    assert_eq!(late, REJECTED(4));
    assert_eq!(
        flow.types().await,
        ["code_issued", "code_rejected", "code_rejected", "code_accepted"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clicks_at_once_are_one_command() {
    let world = World::new().await;
    let replicas = [
        Replica::new(&world, "otp/a").await,
        Replica::new(&world, "otp/b").await,
    ];
    let flow = world.reset().await;
    replicas[0].issue(&flow).await.unwrap();
    let digits = wrong(flow.owner, 0);
    let [one, other] = &replicas;
    let (one, other) = tokio::join!(
        one.verify_form(&flow, &digits, form(1)),
        other.verify_form(&flow, &digits, form(1))
    );
    assert_eq!((one.unwrap(), other.unwrap()), (REJECTED(4), REJECTED(4)));
    assert_eq!(flow.types().await, ["code_issued", "code_rejected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_code_is_not_counted_and_a_code_is_read_however_typed() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    for typed in ["", "12345", "1234567", "abcdef", "ー123456"] {
        let refused = replica.verify(&flow, typed).await.unwrap_err();
        assert_eq!(refused.reason(), "OTP_CODE_MALFORMED", "{typed:?}");
    }
    assert_eq!(flow.types().await, ["code_issued"]);
    let full_width: String = code(flow.owner, 1)
        .chars()
        .map(|digit| char::from_u32(u32::from(digit) + 0xfee0).unwrap())
        .collect();
    let typed = format!(" {}ー{}\u{200b}", &full_width[..9], &full_width[9..]);
    assert!(matches!(
        replica.verify(&flow, &typed).await.unwrap(),
        Verified::Accepted { .. }
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_code_is_told_apart_and_counted() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    world.forward(60, &[&replica.log]).await;
    replica.issue(&flow).await.unwrap();
    let replaced = Verified::Rejected {
        tries_left: 4,
        replaced: true,
    };
    assert_eq!(
        replica.verify(&flow, &code(flow.owner, 1)).await.unwrap(),
        replaced
    );
    assert!(matches!(
        replica.verify(&flow, &code(flow.owner, 2)).await.unwrap(),
        Verified::Accepted { .. }
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_worth_nothing_in_another_flow() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let account = Flow::new_account(&world.credentials);
    let of_one_account = [
        Flow::sign_in_of(&world.credentials, account).await,
        Flow::sign_in_of(&world.credentials, account).await,
        Flow::reset_of(&world.credentials, account).await,
    ];
    let flows: Vec<Flow> = of_one_account
        .into_iter()
        .chain([world.sign_in().await])
        .collect();
    for flow in &flows {
        replica.issue(flow).await.unwrap();
    }
    for (number, one) in flows.iter().enumerate() {
        let others = flows.iter().enumerate().filter(|(other, _)| *other != number);
        for (tries, (_, other)) in (1..).zip(others) {
            let typed = code(other.owner, 1);
            assert_eq!(replica.verify(one, &typed).await.unwrap(), REJECTED(5 - tries));
        }
        let mut events = one.events().await.into_iter();
        assert!(!events.any(|event| matches!(event, CodeEvent::CodeAccepted(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lives_ten_minutes_by_the_clock_of_the_log() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let (early, late) = (world.reset().await, world.reset().await);
    replica.issue(&early).await.unwrap();
    replica.issue(&late).await.unwrap();
    world.forward(597, &[&replica.log]).await;
    assert!(matches!(
        replica.verify(&early, &code(early.owner, 1)).await.unwrap(),
        Verified::Accepted { .. }
    ));
    world.forward(601, &[&replica.log]).await;
    for typed in [code(late.owner, 1), wrong(late.owner, 0)] {
        let refused = replica.verify(&late, &typed).await.unwrap_err();
        assert_eq!(refused.reason(), "OTP_CODE_EXPIRED");
    }
    let shown = replica.app.view(late.caller()).await.unwrap();
    assert!(matches!(shown.stage, ViewStage::Expired { mail: None, .. }));
    assert_eq!(late.types().await, ["code_issued"]);
}
