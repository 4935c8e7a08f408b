//! C-25: whatever ends an account's ways in is looked at before every step, not only at the first.

use anyhow::{Context, Result};
use sekisho_dev::{Stack, StackOptions};
use sekisho_proto::credentials::v1::administration_service_client::AdministrationServiceClient;
use sekisho_proto::credentials::v1::verify_password_response::{Outcome, Reason};
use sekisho_proto::credentials::v1::{DisableAccountRequest, EnableAccountRequest};
use sekisho_tests::accounts::administration;
use sekisho_tests::flow::{Flow, Gateway, random};
use sekisho_tests::grpc::reason;
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD};
use tonic::Status;
use tonic::transport::Channel;

/// How far a flow has come before the account is disabled.
#[derive(Debug, Clone, Copy)]
enum Step {
    Password,
    CodeMailed,
    CodeAccepted,
    ResetAsked,
    ResetCodeAccepted,
}

async fn disable_and_enable(administration: &mut AdministrationServiceClient<Channel>) -> Result<()> {
    let login_id = LOGIN.to_owned();
    let disable = DisableAccountRequest {
        login_id: login_id.clone(),
    };
    administration.disable_account(disable).await?;
    administration
        .enable_account(EnableAccountRequest { login_id })
        .await?;
    Ok(())
}

async fn come_to(gateway: &mut Gateway, step: Step) -> Result<Flow> {
    match step {
        Step::Password | Step::CodeMailed => {
            let flow = gateway.accept_password(LOGIN, PASSWORD).await?;
            if matches!(step, Step::CodeMailed) {
                gateway.mailed_code(&flow, ADDRESS).await?;
            }
            Ok(flow)
        }
        Step::CodeAccepted => gateway.verified_flow(LOGIN, PASSWORD, ADDRESS).await,
        Step::ResetAsked => Ok(gateway.request_reset(LOGIN).await?),
        Step::ResetCodeAccepted => gateway.verified_reset(LOGIN, ADDRESS).await,
    }
}

/// The refusal of the step that follows.
async fn go_on(gateway: &mut Gateway, step: Step, flow: &Flow) -> Result<Status> {
    let answer = match step {
        Step::Password | Step::ResetAsked => match gateway.issue_code(flow).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.downcast::<Status>()?),
        },
        Step::CodeMailed => gateway.verify_code(flow, "123456").await.map(drop),
        Step::CodeAccepted => gateway.start(flow).await.map(drop),
        Step::ResetCodeAccepted => gateway
            .set_password(flow, "a new password of more than fifteen")
            .await
            .map(drop),
    };
    answer
        .err()
        .with_context(|| format!("after {step:?} the flow went on"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_that_is_under_way_when_its_account_is_disabled_is_over_at_every_step() -> Result<()> {
    let options = StackOptions {
        name: "steps".to_owned(),
        ..StackOptions::default()
    };
    let stack = tokio::task::block_in_place(|| Stack::start(&options))?;
    let mut administration = administration(&stack).await?;
    let mut gateway = Gateway::connect(&stack, 0).await?;
    for step in [
        Step::Password,
        Step::CodeMailed,
        Step::CodeAccepted,
        Step::ResetAsked,
        Step::ResetCodeAccepted,
    ] {
        let flow = come_to(&mut gateway, step).await?;
        disable_and_enable(&mut administration).await?;
        let refused = go_on(&mut gateway, step, &flow).await?;
        assert_eq!(reason(&refused).as_deref(), Some("EVIDENCE_CUT"), "{step:?}");
    }
    Ok(())
}

/// A lock stops guesses. It stops no flow whose password was accepted: else whoever guesses could stop the owner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_stops_every_further_password_and_no_flow_under_way() -> Result<()> {
    let options = StackOptions {
        name: "steps-locked".to_owned(),
        ..StackOptions::default()
    };
    let stack = tokio::task::block_in_place(|| Stack::start(&options))?;
    let mut gateway = Gateway::connect(&stack, 0).await?;
    let flow = gateway.accept_password(LOGIN, PASSWORD).await?;
    for number in 0..10 {
        gateway
            .verify_password(LOGIN, &format!("wrong {number}"), &random())
            .await?;
    }
    let locked = gateway.verify_password(LOGIN, PASSWORD, &random()).await?;
    let Some(Outcome::Rejected(rejected)) = locked.outcome else {
        panic!("{locked:?}")
    };
    assert_eq!(rejected.reason(), Reason::Locked);
    let code = gateway.mailed_code(&flow, ADDRESS).await?;
    gateway.verify_code(&flow, &code).await?;
    gateway.start(&flow).await?;
    Ok(())
}
