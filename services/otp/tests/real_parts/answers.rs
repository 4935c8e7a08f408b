//! Who gets an answer, and which.

use std::time::Duration;

use sekisho_evidence::CommandId;
use sekisho_otp::app::Error;
use sekisho_otp::domain::{MailFate, View, ViewStage};
use sekisho_proto::refusal::Refuse as _;
use sekisho_service::settings::Secret;
use tokio::time::Instant;

use crate::support::{Flow, Mailbox, Relay, Replica, World, code, until};

/// What every call answers.
async fn reasons(replica: &Replica, flow: &Flow) -> [Option<&'static str>; 4] {
    let reason = |refused: Option<Error>| refused.map(|refused| refused.reason());
    [
        reason(replica.issue(flow).await.err()),
        reason(replica.verify(flow, &code(flow.owner, 1)).await.err()),
        reason(replica.app.view(flow.caller()).await.err()),
        reason(replica.app.cancel(flow.caller()).await.err()),
    ]
}

pub fn mail(view: View) -> Option<MailFate> {
    match view.stage {
        ViewStage::Live { mail, .. } => mail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_id_without_its_secret_opens_nothing() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    let digits = Secret::new(code(flow.owner, 1));
    let stranger = flow.stranger();
    let refused = [
        replica.app.issue(stranger, [0; 16].into()).await.err(),
        replica.app.verify(stranger, &digits, [0; 16].into()).await.err(),
        replica.app.view(stranger).await.err(),
        replica.app.cancel(stranger).await.err(),
    ];
    for refused in refused {
        assert_eq!(refused.unwrap().reason(), "FLOW_SECRET_WRONG");
    }
    assert_eq!(flow.types().await, ["code_issued"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_flow_is_over_and_so_are_its_codes() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    replica.app.cancel(flow.caller()).await.unwrap();
    let over = Some("FLOW_CANCELLED");
    // Giving up twice is no error.
    assert_eq!(reasons(&replica, &flow).await, [over, over, over, None]);
    assert_eq!(flow.types().await, ["code_issued", "flow_cancelled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_after_the_mint_ends_the_flow() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    replica.issue(&flow).await.unwrap();
    flow.cut().await;
    let cut = Some("EVIDENCE_CUT");
    assert_eq!(reasons(&replica, &flow).await, [cut, cut, cut, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_has_led_to_a_session_gets_no_code_and_stays_verified() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let replica = Replica::new(&world, "otp/a")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    let flow = world.sign_in().await;
    replica.issue(&flow).await.unwrap();
    replica.verify(&flow, &code(flow.owner, 1)).await.unwrap();
    flow.use_up(&world.sessions().await).await;
    let used = Some("FLOW_USED");
    assert_eq!(reasons(&replica, &flow).await, [used, None, None, used]);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_issued_for_an_hour_after_the_first_step() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    for minutes in [29, 58] {
        world.forward(minutes * 60, &[&replica.log]).await;
        replica.issue(&flow).await.unwrap();
    }
    world.forward(60 * 60 + 1, &[&replica.log]).await;
    assert_eq!(replica.issue(&flow).await.unwrap_err().reason(), "EVIDENCE_OLD");
    // The code that was issued in time can still be typed.
    replica.verify(&flow, &code(flow.owner, 2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_was_left_alone_for_half_an_hour_is_over() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flows = [world.reset().await, world.sign_in().await];
    for flow in &flows {
        replica.issue(flow).await.unwrap();
    }
    // What a worker does is nothing that the person does.
    world.forward(7 * 60, &[&replica.log]).await;
    let relay = Relay::start().await;
    let worker = Replica::worker(&world, "otp/b", &relay).await;
    relay.until_letters(2).await;
    world.forward(29 * 60, &[&replica.log, &worker.log]).await;
    for flow in &flows {
        assert!(matches!(
            replica.app.view(flow.caller()).await.unwrap().stage,
            ViewStage::Expired { .. }
        ));
    }
    // To look is nothing that the log knows of.
    world.forward(30 * 60 + 5, &[&replica.log]).await;
    for flow in &flows {
        assert_eq!(
            replica.app.view(flow.caller()).await.unwrap_err().reason(),
            "EVIDENCE_OLD"
        );
        assert_eq!(replica.issue(flow).await.unwrap_err().reason(), "EVIDENCE_OLD");
    }
}

/// The clock of a process may be behind that of the log.
#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_log_has_the_last_word_on_the_half_hour() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let flow = world.reset().await;
    world.appends_are_ahead(30 * 60 + 1);
    assert_eq!(replica.issue(&flow).await.unwrap_err().reason(), "EVIDENCE_OLD");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_waits_for_its_mail_three_seconds_and_a_reset_does_not() {
    let world = World::new().await;
    // Nobody hands the mails over.
    let replica = Replica::new(&world, "otp/a").await;
    let (sign_in, reset) = (world.sign_in().await, world.reset().await);
    let start = Instant::now();
    assert_eq!(mail(replica.issue(&reset).await.unwrap()), None);
    let reset_took = start.elapsed();
    assert_eq!(
        mail(replica.issue(&sign_in).await.unwrap()),
        Some(MailFate::Waiting)
    );
    let sign_in_took = start.elapsed().checked_sub(reset_took).unwrap();
    assert!(reset_took < Duration::from_secs(2), "{reset_took:?}");
    // And not much longer: whoever waits for the page has given up by then.
    let three_seconds = Duration::from_millis(2_900)..Duration::from_secs(6);
    assert!(three_seconds.contains(&sign_in_took), "{sign_in_took:?}");
}

/// Who has a mail on the way would be a moment slower, and so told apart by whoever asks often enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_answers_when_its_mail_has_had_its_time() {
    let world = World::new().await;
    let replica = Replica::new(&world, "otp/a").await;
    let reset = world.reset().await;
    for _ in 0..2 {
        let start = Instant::now();
        replica.issue_form(&reset, [1; 16].into()).await.unwrap();
        assert!(
            start.elapsed() >= Duration::from_millis(150),
            "{:?}",
            start.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_tells_what_became_of_its_mail() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let replica = Replica::new(&world, "otp/a")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let flow = world.sign_in().await;
        let start = Instant::now();
        // The second answer of a form that is sent twice has nothing to wait for.
        for _ in 0..2 {
            let told = mail(replica.issue_form(&flow, CommandId::from([1; 16])).await.unwrap());
            assert!(matches!(told, Some(MailFate::HandedOver(_))), "{told:?}");
        }
        fastest = fastest.min(start.elapsed());
    }
    // As soon as the log says so; at the end of the patience it would be three seconds every time.
    assert!(fastest < Duration::from_millis(2_900), "{fastest:?}");
    drop(replica);

    let phantom = Replica::new(&world, "otp/b")
        .await
        .work(&relay, Mailbox::Phantom)
        .await;
    let flow = world.sign_in().await;
    assert_eq!(mail(phantom.issue(&flow).await.unwrap()), Some(MailFate::Failed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_never_tells_what_became_of_its_mail() {
    let world = World::new().await;
    let relay = Relay::start().await;
    let known = Replica::new(&world, "otp/a")
        .await
        .work(&relay, Mailbox::Known)
        .await;
    let real = world.reset().await;
    known.issue(&real).await.unwrap();
    relay.until_letters(1).await;
    drop(known);

    let replica = Replica::new(&world, "otp/b")
        .await
        .work(&relay, Mailbox::Phantom)
        .await;
    let phantom = world.reset().await;
    replica.issue(&phantom).await.unwrap();
    until("the mail's fate", async || phantom.types().await.len() == 3).await;
    assert_eq!(
        phantom.types().await,
        ["code_issued", "mail_started", "mail_failed"]
    );
    assert_eq!(relay.recipients(), 1);
    for flow in [&real, &phantom] {
        assert_eq!(mail(replica.app.view(flow.caller()).await.unwrap()), None);
    }
}
