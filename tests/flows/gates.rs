//! The gates at gRPC level: what opens a session, and what does not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use sekisho_dev::{Service, Stack};
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::{credentials::v1 as credentials, sessions::v1 as sessions};
use sekisho_tests::flow::{Flow, Gateway, command_id, random};
use sekisho_tests::grpc::reason;
use sekisho_tests::stack::shared;
use sekisho_tests::writers::{Writers, append};
use tonic::{Code, Status};

async fn gateway() -> Result<Gateway> {
    Gateway::connect(shared(), 0).await
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, expected: &str) {
    let status = answer.expect_err("it was not refused");
    assert_eq!(reason(&status).as_deref(), Some(expected), "{status:?}");
}

#[tokio::test]
async fn a_session_needs_a_password() -> Result<()> {
    let nowhere = Flow {
        id: uuid::Uuid::new_v8([7; 16]).as_bytes().to_vec(),
        secret: random(),
    };
    refused(gateway().await?.start(&nowhere).await, "FLOW_UNKNOWN");
    Ok(())
}

#[tokio::test]
async fn a_session_needs_a_code() -> Result<()> {
    let mut gateway = gateway().await?;
    let flow = gateway
        .accept_password("04500002", sekisho_tests::PASSWORD)
        .await?;
    refused(gateway.start(&flow).await, "EVIDENCE_MISSING");
    Ok(())
}

#[tokio::test]
async fn a_code_of_another_account_opens_nothing() -> Result<()> {
    let writers = Writers::open(shared()).await?;
    let flow = writers.password_accepted(Writers::account(), 0).await?;
    writers.code_accepted(Writers::account(), 0, &flow).await?;
    refused(gateway().await?.start(&flow).await, "FLOW_MIXED");
    Ok(())
}

#[tokio::test]
async fn a_flow_of_two_accounts_opens_nothing() -> Result<()> {
    let writers = Writers::open(shared()).await?;
    let (first, second) = (Writers::account(), Writers::account());
    let flow = writers.password_accepted(first, 0).await?;
    let id = sekisho_eventlog::FlowId::try_from(flow.id.as_slice())?;
    let again = credentials::PasswordAccepted {
        secret_digest: vec![1; 32],
        password_version: 1,
        ..Default::default()
    };
    append(&writers.credentials, second, 0, Some(id), &again.into_event()).await?;
    writers.code_accepted(first, 0, &flow).await?;
    refused(gateway().await?.start(&flow).await, "FLOW_MIXED");
    Ok(())
}

trait IntoEvent {
    fn into_event(self) -> sekisho_proto::events::AccountEvent;
}

impl IntoEvent for credentials::PasswordAccepted {
    fn into_event(self) -> sekisho_proto::events::AccountEvent {
        self.into()
    }
}

#[tokio::test]
async fn two_starts_at_once_on_two_replicas_are_one_session() -> Result<()> {
    let writers = Writers::open(shared()).await?;
    let mut replicas = [
        Gateway::connect(shared(), 0).await?,
        Gateway::connect(shared(), 1).await?,
    ];
    for _ in 0..20 {
        let account = Writers::account();
        let flow = writers.password_accepted(account, 0).await?;
        writers.code_accepted(account, 0, &flow).await?;
        let [first, second] = &mut replicas;
        let (one, other) = tokio::join!(first.start(&flow), second.start(&flow));
        let (one, other) = (one?, other?);
        assert_eq!((&one.token, &one.session_id), (&other.token, &other.session_id));
        let started = started_in(&writers, account).await?;
        assert_eq!(started, 1, "sessions in the log");
    }
    Ok(())
}

async fn started_in(writers: &Writers, account: sekisho_eventlog::StreamId) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "select count(*) from log.entry where stream_id = $1 and event_type = 'session_started'",
    )
    .bind(account.0)
    .fetch_one(writers.otp.pool())
    .await?)
}

/// Rounds of the race below.
const ROUNDS: u32 = 1_000;

/// PasswordChanged from this process races `Start` in the sessions process, over the same head of the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_survives_a_password_change_whichever_comes_first() -> Result<()> {
    let writers = Writers::open(shared()).await?;
    let (refused, cut_later) = (AtomicU32::new(0), AtomicU32::new(0));
    let mut gateway = gateway().await?;
    // The pause moves with the outcomes, so that both sides of the race are met whatever this machine's speed.
    let mut pause = Duration::from_micros(500);
    for _ in 0..ROUNDS {
        let account = Writers::account();
        let flow = writers.password_accepted(account, 0).await?;
        writers.code_accepted(account, 0, &flow).await?;
        let cut = async {
            tokio::time::sleep(pause).await;
            writers.password_changed(account, 1).await
        };
        let (answer, position) = tokio::join!(gateway.start(&flow), cut);
        let position = position?;
        match answer {
            Ok(started) => {
                assert!(
                    started.position < position.0,
                    "started behind the cut and answered"
                );
                dies(&mut gateway, &started.token).await;
                cut_later.fetch_add(1, Ordering::Relaxed);
                pause = pause.saturating_sub(Duration::from_micros(100));
            }
            Err(status) => {
                assert_eq!(reason(&status).as_deref(), Some("EVIDENCE_CUT"), "{status:?}");
                // Whether or not a SessionStarted stands before the cut: nobody gets that session any more.
                gateway.start(&flow).await.expect_err("a cut flow was started");
                refused.fetch_add(1, Ordering::Relaxed);
                pause += Duration::from_micros(100);
            }
        }
    }
    let (refused, cut_later) = (refused.into_inner(), cut_later.into_inner());
    println!("of {ROUNDS} starts {refused} were refused as cut, {cut_later} were started and then cut");
    assert!(
        refused >= 100 && cut_later >= 100,
        "the race was not met on both sides"
    );
    Ok(())
}

/// Waits, one second at most, until a token is refused because of the cut.
async fn dies(gateway: &mut Gateway, token: &[u8]) {
    let end = tokio::time::Instant::now() + Duration::from_secs(1);
    loop {
        match gateway.check(token).await {
            Err(status) => {
                assert_eq!(reason(&status).as_deref(), Some("SESSION_CUT"), "{status:?}");
                return;
            }
            Ok(_) => assert!(tokio::time::Instant::now() < end, "alive a second after the cut"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_flow_id_without_its_secret_opens_nothing() -> Result<()> {
    let mut gateway = gateway().await?;
    let flow = gateway
        .accept_password("13100001", sekisho_tests::PASSWORD)
        .await?;
    let stolen = Flow {
        secret: random(),
        ..flow.clone()
    };
    let (flow_id, flow_secret, command_id) = (stolen.id.clone(), stolen.secret.clone(), command_id());

    refused(gateway.start(&stolen).await, "FLOW_SECRET_WRONG");
    refused(gateway.verify_code(&stolen, "123456").await, "FLOW_SECRET_WRONG");
    refused(
        gateway.set_password(&stolen, "a new password of length").await,
        "FLOW_SECRET_WRONG",
    );
    let issue = otp::IssueCodeRequest {
        flow_id: flow_id.clone(),
        flow_secret: flow_secret.clone(),
        command_id,
    };
    refused(gateway.otp.issue_code(issue).await, "FLOW_SECRET_WRONG");
    let cancel = otp::CancelFlowRequest {
        flow_id: flow_id.clone(),
        flow_secret: flow_secret.clone(),
    };
    refused(gateway.otp.cancel_flow(cancel).await, "FLOW_SECRET_WRONG");
    let get = otp::GetFlowRequest {
        flow_id: flow_id.clone(),
        flow_secret: flow_secret.clone(),
    };
    refused(gateway.otp.get_flow(get).await, "FLOW_SECRET_WRONG");
    let describe = credentials::DescribeFlowRequest {
        flow_id,
        flow_secret,
        min_position: 0,
    };
    refused(
        gateway.credentials.describe_flow(describe).await,
        "FLOW_SECRET_WRONG",
    );
    Ok(())
}

#[tokio::test]
async fn a_token_that_nobody_issued_is_refused() -> Result<()> {
    let mut gateway = gateway().await?;
    let status = gateway.check(&random()).await.expect_err("it was not refused");
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(reason(&status).as_deref(), Some("SESSION_UNKNOWN"));
    Ok(())
}

#[tokio::test]
async fn a_forged_message_on_the_bus_opens_nothing() -> Result<()> {
    let stack: &Stack = shared();
    let writers = Writers::open(stack).await?;
    let token = random();
    for user in ["credentials", "otp", "sessions", "audit"] {
        let bus = sekisho_tests::writers::bus(stack, user).await?;
        let forged = sessions::SessionStarted {
            session_id: vec![1; 16],
            token_digest: sha2::Digest::finalize(sha2::Digest::chain_update(
                <sha2::Sha256 as sha2::Digest>::new(),
                &token,
            ))
            .to_vec(),
            minted: 1,
            evidence: vec![1, 2],
            ended: Vec::new(),
        };
        let mut headers = async_nats::HeaderMap::new();
        headers.insert(
            "ce-position",
            (writers.otp.confirm_head().await?.0 + 1).to_string(),
        );
        headers.insert("ce-type", "signin.session.session_started");
        let body = prost::Message::encode_to_vec(&forged);
        bus.publish_with_headers("signin.session.session_started", headers, body.into())
            .await?;
        bus.flush().await?;
        // A true entry after it: who answers for this one has heard what came before.
        let account = Writers::account();
        let flow = writers.password_accepted(account, 0).await?;
        writers.code_accepted(account, 0, &flow).await?;
        for replica in 0..2 {
            let mut gateway = Gateway::connect(stack, replica).await?;
            gateway.start(&flow).await?;
            refused(gateway.check(&token).await, "SESSION_UNKNOWN");
        }
    }
    assert!(
        stack
            .processes()
            .iter()
            .any(|process| process.service == Service::Sessions)
    );
    Ok(())
}
