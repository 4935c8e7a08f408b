//! What the holder of a flow's secret may see.

use sekisho_credentials::app::{Described, Error, NewPasswordLength};
use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_evidence::Refusal;
use sekisho_proto::otp::v1::{FlowCancelled, Purpose};
use sekisho_proto::sessions::v1::{SessionStarted, SessionsCut};
use sekisho_service::settings::Secret;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, SECRET};

const MASKED: &str = "g*****@example.com";

async fn describe(bench: &Bench, flow: FlowId) -> Result<Described, Error> {
    bench
        .app
        .describe_flow(flow, &Secret::new(SECRET.to_vec()), Position(0))
        .await
}

async fn refused(bench: &Bench, flow: FlowId) -> Refusal {
    match describe(bench, flow).await {
        Err(Error::Flow(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn signed_in(bench: &Bench, account: StreamId) -> FlowId {
    let flow = bench.accepted().await;
    bench.verify_code(account, flow, Purpose::SignIn).await;
    bench
        .as_sessions(account, Some(flow), SessionStarted::default().into())
        .await;
    flow
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_a_flow_shows_more_of_the_person() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let flow = bench.accepted().await;

    let described = describe(&bench, flow).await.unwrap();
    assert_eq!(
        (described.masked_address.as_str(), described.address.as_str()),
        (MASKED, "")
    );
    assert!(described.person.is_none());

    bench.verify_code(account, flow, Purpose::SignIn).await;
    let described = describe(&bench, flow).await.unwrap();
    assert_eq!(
        (described.masked_address.as_str(), described.address.as_str()),
        (MASKED, ADDRESS)
    );
    assert!(described.person.is_none());

    bench
        .as_sessions(account, Some(flow), SessionStarted::default().into())
        .await;
    let person = describe(&bench, flow).await.unwrap().person.unwrap();
    assert_eq!(
        (person.facility.as_str(), person.name.as_str()),
        ("架空がんセンター", "登録 花子")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_without_its_secret_shows_nothing() {
    let bench = Bench::new().await;
    bench.register().await;
    let flow = bench.accepted().await;
    for secret in [Vec::new(), vec![0; 32]] {
        let outcome = bench
            .app
            .describe_flow(flow, &Secret::new(secret), Position(0))
            .await;
        assert!(
            matches!(outcome, Err(Error::Flow(Refusal::SecretWrong))),
            "{outcome:?}"
        );
    }
    assert_eq!(
        refused(&bench, FlowId::mint(bench.log.head())).await,
        Refusal::Unknown
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_shows_nothing_of_anybody() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let known = bench.reset(LOGIN).await;
    bench.verify_code(account, known, Purpose::Reset).await;
    let unknown = bench.reset("04500009").await;
    let rules = Described {
        new_password: Some(NewPasswordLength {
            shortest: 15,
            longest: 128,
        }),
        ..Described::default()
    };
    assert!(describe(&bench, known).await.unwrap() == rules);
    assert!(describe(&bench, unknown).await.unwrap() == Described::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_or_cancelled_flow_shows_nothing() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let cancelled = bench.accepted().await;
    bench.as_otp(account, cancelled, FlowCancelled {}.into()).await;
    assert_eq!(refused(&bench, cancelled).await, Refusal::Cancelled);

    let open = bench.accepted().await;
    let session = signed_in(&bench, account).await;
    bench.app.disable(LOGIN, ACTOR).await.unwrap();
    bench.app.enable(LOGIN, ACTOR).await.unwrap();
    assert_eq!(refused(&bench, open).await, Refusal::Cut);
    assert_eq!(refused(&bench, session).await, Refusal::Cut);

    let open = bench.accepted().await;
    let session = signed_in(&bench, account).await;
    bench.change_email(account).await;
    assert_eq!(refused(&bench, open).await, Refusal::Cut);
    let described = describe(&bench, session).await.unwrap();
    assert!(described.person.is_some(), "a new address ends no session");

    let session = signed_in(&bench, account).await;
    bench.as_sessions(account, None, SessionsCut {}.into()).await;
    assert_eq!(refused(&bench, session).await, Refusal::Cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_the_log_does_not_have_is_not_waited_for_in_vain() {
    let bench = Bench::new().await;
    bench.register().await;
    let flow = bench.accepted().await;
    let secret = Secret::new(SECRET.to_vec());
    // Another process has just written it: this one has not heard of it yet.
    let account = bench.found(LOGIN).await.account;
    let seen = bench.issue_code(account, flow, Purpose::SignIn, 1).await;
    assert!(bench.app.describe_flow(flow, &secret, seen).await.is_ok());
    let outcome = bench.app.describe_flow(flow, &secret, Position(seen.0 + 1)).await;
    assert!(matches!(outcome, Err(Error::Behind)), "{outcome:?}");
}
