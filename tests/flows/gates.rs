//! The gates at gRPC level: what opens a session, and what does not.

use std::time::Duration;

use anyhow::Result;
use futures::StreamExt as _;
use sekisho_dev::Stack;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::{credentials::v1 as credentials, sessions::v1 as sessions};
use sekisho_tests::flow::{Flow, Gateway, command_id, random};
use sekisho_tests::grpc::reason;
use sekisho_tests::stack::shared;
use sekisho_tests::writers::{Writers, append};
use sha2::{Digest as _, Sha256};
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
    let (mut refused, mut cut_later) = (0, 0);
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
                cut_later += 1;
                pause = pause.saturating_sub(Duration::from_micros(100));
            }
            Err(status) => {
                assert_eq!(reason(&status).as_deref(), Some("EVIDENCE_CUT"), "{status:?}");
                // Whether or not a SessionStarted stands before the cut: nobody gets that session any more.
                gateway.start(&flow).await.expect_err("a cut flow was started");
                refused += 1;
                pause += Duration::from_micros(100);
            }
        }
    }
    println!("of {ROUNDS} starts {refused} were refused as cut, {cut_later} were started and then cut");
    assert!(
        refused >= 100 && cut_later >= 100,
        "the race was not met on both sides"
    );
    Ok(())
}

/// キャンセル in one window, 続行 in another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_cancel_and_a_start_at_once_one_is_refused() -> Result<()> {
    const ROUNDS: u32 = 200;
    let writers = Writers::open(shared()).await?;
    let (mut one, mut other) = (gateway().await?, gateway().await?);
    let (mut started, mut cancelled) = (0, 0);
    // The pause moves with the outcomes, so that the two meet whatever this machine's speed.
    let mut pause = Duration::ZERO;
    for _ in 0..ROUNDS {
        let account = Writers::account();
        let flow = writers.password_accepted(account, 0).await?;
        writers.code_accepted(account, 0, &flow).await?;
        let cancel = async {
            tokio::time::sleep(pause).await;
            one.cancel(&flow).await
        };
        match tokio::join!(other.start(&flow), cancel) {
            (Ok(session), Err(status)) => {
                assert_eq!(reason(&status).as_deref(), Some("FLOW_USED"), "{status:?}");
                other.check(&session.token).await?;
                started += 1;
                pause = pause.saturating_sub(Duration::from_micros(200));
            }
            (Err(status), Ok(())) => {
                assert_eq!(reason(&status).as_deref(), Some("FLOW_CANCELLED"), "{status:?}");
                cancelled += 1;
                pause += Duration::from_micros(200);
            }
            (Ok(_), Ok(())) => panic!("given up, and signed in"),
            (Err(start), Err(cancel)) => panic!("{start:?}, {cancel:?}"),
        }
    }
    println!("of {ROUNDS} flows {started} were started, {cancelled} were given up");
    assert!(
        started >= ROUNDS / 10 && cancelled >= ROUNDS / 10,
        "the two did not meet"
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
    refused(gateway.cancel(&stolen).await, "FLOW_SECRET_WRONG");
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

/// A position that no log has reached.
const FORGED: u64 = 1_000_000_000;

/// What each user of the bus may publish of its own goes out with a position that is not there and a session that
/// nobody started; the auditor's ear proves that it was delivered. Who believed it would skip every entry up to there.
#[tokio::test]
async fn a_forged_message_on_the_bus_opens_nothing() -> Result<()> {
    let stack: &Stack = shared();
    let writers = Writers::open(stack).await?;
    let audit = sekisho_tests::writers::bus(stack, "audit").await?;
    let mut heard = audit.subscribe("signin.>").await?;
    audit.flush().await?;
    let token = random();
    let forged = sessions::SessionStarted {
        session_id: vec![1; 16],
        token_digest: Sha256::digest(&token).to_vec(),
        minted: 1,
        evidence: vec![1, 2],
        ..sessions::SessionStarted::default()
    };
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("ce-position", FORGED.to_string());
    headers.insert("ce-type", "signin.session.session_started");
    let own = [
        ("credentials", Some("signin.account.session_started")),
        ("otp", Some("signin.code.session_started")),
        ("sessions", Some("signin.session.session_started")),
        ("audit", None),
    ];
    for (user, allowed) in own {
        let bus = sekisho_tests::writers::bus(stack, user).await?;
        for subject in own.iter().filter_map(|(_, subject)| *subject) {
            let body = prost::Message::encode_to_vec(&forged).into();
            bus.publish_with_headers(subject, headers.clone(), body).await?;
        }
        bus.flush().await?;
        let mut delivered = Vec::new();
        // Whatever is not delivered within this time after the last was refused by the server.
        while let Ok(Some(message)) = tokio::time::timeout(Duration::from_millis(500), heard.next()).await {
            if position(&message) == Some(FORGED) {
                delivered.push(message.subject.to_string());
            }
        }
        assert_eq!(delivered, Vec::from_iter(allowed), "delivered from {user}");
        for replica in 0..2 {
            let mut gateway = Gateway::connect(stack, replica).await?;
            refused(gateway.check(&token).await, "SESSION_UNKNOWN");
            // True entries after it are folded as ever.
            let account = Writers::account();
            let flow = writers.password_accepted(account, 0).await?;
            writers.code_accepted(account, 0, &flow).await?;
            let true_token = gateway.start(&flow).await?.token;
            gateway.check(&true_token).await?;
        }
    }
    Ok(())
}

fn position(message: &async_nats::Message) -> Option<u64> {
    let headers = message.headers.as_ref()?;
    headers.get("ce-position")?.as_str().parse().ok()
}
