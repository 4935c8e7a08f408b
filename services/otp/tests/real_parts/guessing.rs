//! Many tries at once.

use futures::future::join_all;
use sekisho_otp::app::Verified;
use sekisho_otp::domain::ViewStage;

use sekisho_proto::refusal::Refuse as _;

use crate::support::{Replica, World, code, wrong};

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_wrong_tries_on_four_replicas_compare_five() {
    let world = World::new().await;
    let mut replicas = Vec::new();
    for name in ["otp/a", "otp/b", "otp/c", "otp/d"] {
        replicas.push(Replica::new(&world, name).await);
    }
    let flow = world.reset().await;
    replicas[0].issue(&flow).await.unwrap();
    let tries = (0..500_u32).map(|number| {
        let replica = &replicas[number as usize % replicas.len()];
        let digits = wrong(flow.owner, number * 1_000);
        let flow = &flow;
        async move { replica.verify(flow, &digits).await }
    });
    let answers = join_all(tries).await;

    let mut left: Vec<u32> = answers
        .iter()
        .filter_map(|answer| match answer {
            Ok(Verified::Rejected { tries_left, .. }) => Some(*tries_left),
            Ok(Verified::Accepted { .. }) => panic!("a wrong code was accepted"),
            Err(_) => None,
        })
        .collect();
    left.sort_unstable();
    // An answer may be lost to an overloaded log, a comparison never.
    assert!(left.len() <= 5, "{left:?}");
    let types = flow.types().await;
    assert_eq!(
        types,
        [
            "code_issued",
            "code_rejected",
            "code_rejected",
            "code_rejected",
            "code_rejected",
            "code_rejected"
        ]
    );
    let refused = replicas[1].verify(&flow, &code(flow.owner, 1)).await.unwrap_err();
    assert_eq!(refused.reason(), "OTP_CODE_SPENT");
    let shown = replicas[2].app.view(flow.caller()).await.unwrap();
    assert!(matches!(shown.stage, ViewStage::Spent(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_code_at_once_on_four_replicas_is_accepted_once() {
    let world = World::new().await;
    let mut replicas = Vec::new();
    for name in ["otp/a", "otp/b", "otp/c", "otp/d"] {
        replicas.push(Replica::new(&world, name).await);
    }
    let flow = world.reset().await;
    replicas[0].issue(&flow).await.unwrap();
    let digits = code(flow.owner, 1);
    let tries = (0..40).map(|number| replicas[number % 4].verify(&flow, &digits));
    // An answer may be lost to an overloaded log.
    let mut positions: Vec<_> = join_all(tries)
        .await
        .into_iter()
        .filter_map(|answer| match answer {
            Ok(Verified::Accepted { position }) => Some(position),
            Ok(other @ Verified::Rejected { .. }) => panic!("{other:?}"),
            Err(refused) => {
                assert_eq!(refused.reason(), "LOG_UNAVAILABLE");
                None
            }
        })
        .collect();
    positions.dedup();
    assert_eq!(positions.len(), 1, "{positions:?}");
    assert_eq!(flow.types().await, ["code_issued", "code_accepted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_code_can_be_asked_for_after_five_wrong_tries() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    for number in 0..5 {
        replica.verify(&flow, &wrong(flow.owner, number)).await.unwrap();
    }
    world.forward(60, &[&replica.log]).await;
    replica.issue(&flow).await.unwrap();
    let accepted = replica.verify(&flow, &code(flow.owner, 2)).await.unwrap();
    assert!(matches!(accepted, Verified::Accepted { .. }));
}
