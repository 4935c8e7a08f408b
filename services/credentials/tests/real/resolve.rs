//! Where a live code is mailed to.

use sekisho_credentials::app::{Error, Issued};
use sekisho_credentials::domain::Address;
use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_evidence::Refusal;
use sekisho_proto::otp::v1::{CodeAccepted, CodeIssued, CodeRejected, FlowCancelled, MailStarted, Purpose};
use sekisho_proto::sessions::v1::SessionsCut;
use sekisho_proto::to_timestamp;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, hash_of};

/// What is answered: the address, nothing, or the reason.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Address(String),
    Nobody,
    Dead,
    Refused(Refusal),
}

async fn resolve(bench: &Bench, account: StreamId, position: Position, flow: FlowId) -> Answer {
    let issued = Issued {
        account,
        position,
        flow,
    };
    match bench.app.resolve_address(issued).await {
        Ok(Some(address)) => Answer::Address(address.as_str().to_owned()),
        Ok(None) => Answer::Nobody,
        Err(Error::MailNotOwed) => Answer::Dead,
        Err(Error::Flow(refusal)) => Answer::Refused(refusal),
        Err(other) => panic!("{other:?}"),
    }
}

struct Sent {
    account: StreamId,
    flow: FlowId,
    position: Position,
}

impl Sent {
    async fn by(bench: &Bench) -> Self {
        let account = bench.found(LOGIN).await.account;
        let flow = bench.accepted().await;
        let position = bench.issue_code(account, flow, Purpose::SignIn, 1).await;
        Self {
            account,
            flow,
            position,
        }
    }

    async fn resolve(&self, bench: &Bench) -> Answer {
        resolve(bench, self.account, self.position, self.flow).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_code_has_an_address() {
    let bench = Bench::new().await;
    bench.register().await;
    let sent = Sent::by(&bench).await;
    assert_eq!(sent.resolve(&bench).await, Answer::Address(ADDRESS.to_owned()));
    // Its own claim and a wrong guess do not kill it.
    bench
        .as_otp(sent.account, sent.flow, MailStarted::default().into())
        .await;
    let wrong = CodeRejected {
        issue: 1,
        tries_left: 4,
        ..Default::default()
    };
    bench.as_otp(sent.account, sent.flow, wrong.into()).await;
    assert_eq!(sent.resolve(&bench).await, Answer::Address(ADDRESS.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_told_only_for_the_code_of_that_account_flow_and_position() {
    let bench = Bench::new().await;
    bench.register().await;
    let other = bench
        .register_as("04500002", "other@example.com", &hash_of(PASSWORD, 64))
        .await;
    let sent = Sent::by(&bench).await;
    let another_flow = bench.accepted().await;
    let minted = bench.log.flow(sent.flow).await.unwrap()[0].recorded.position;
    let (account, flow, position) = (sent.account, sent.flow, sent.position);

    assert_eq!(resolve(&bench, other, position, flow).await, Answer::Dead);
    assert_eq!(
        resolve(&bench, account, position, another_flow).await,
        Answer::Dead
    );
    assert_eq!(resolve(&bench, account, minted, flow).await, Answer::Dead);
    assert_eq!(
        resolve(&bench, account, Position(position.0 + 1), flow).await,
        Answer::Dead
    );
    let claim = bench.as_otp(account, flow, MailStarted::default().into()).await;
    assert_eq!(resolve(&bench, account, claim, flow).await, Answer::Dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_code_has_no_address() {
    let bench = Bench::new().await;
    bench.register().await;

    let sent = Sent::by(&bench).await;
    bench
        .issue_code(sent.account, sent.flow, Purpose::SignIn, 2)
        .await;
    assert_eq!(sent.resolve(&bench).await, Answer::Dead, "replaced");

    let sent = Sent::by(&bench).await;
    let accepted = CodeAccepted {
        purpose: Purpose::SignIn.into(),
        issue: 1,
        ..Default::default()
    };
    bench.as_otp(sent.account, sent.flow, accepted.into()).await;
    assert_eq!(sent.resolve(&bench).await, Answer::Dead, "accepted");

    let sent = Sent::by(&bench).await;
    let last_try = CodeRejected {
        issue: 1,
        tries_left: 0,
        ..Default::default()
    };
    bench.as_otp(sent.account, sent.flow, last_try.into()).await;
    assert_eq!(sent.resolve(&bench).await, Answer::Dead, "spent");

    let sent = Sent::by(&bench).await;
    let expired = CodeIssued {
        purpose: Purpose::SignIn.into(),
        issue: 2,
        expires_at: Some(to_timestamp(bench.log.now() - time::Duration::milliseconds(1))),
        ..Default::default()
    };
    let position = bench.as_otp(sent.account, sent.flow, expired.into()).await;
    assert_eq!(
        resolve(&bench, sent.account, position, sent.flow).await,
        Answer::Dead,
        "expired"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_or_cancelled_flow_has_no_address() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let sent = Sent::by(&bench).await;
    bench.as_otp(account, sent.flow, FlowCancelled {}.into()).await;
    assert_eq!(sent.resolve(&bench).await, Answer::Refused(Refusal::Cancelled));

    let sent = Sent::by(&bench).await;
    bench.as_sessions(account, None, SessionsCut {}.into()).await;
    assert_eq!(sent.resolve(&bench).await, Answer::Refused(Refusal::Cut));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_of_a_phantom_a_disabled_account_or_one_without_an_address_goes_nowhere() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.register_as("04500002", "", &hash_of(PASSWORD, 64)).await;
    let resolve_reset = async |login: &str, account: StreamId| {
        let flow = bench.reset(login).await;
        let position = bench.issue_code(account, flow, Purpose::Reset, 1).await;
        resolve(&bench, account, position, flow).await
    };
    let known = bench.found(LOGIN).await.account;
    assert_eq!(
        resolve_reset(LOGIN, known).await,
        Answer::Address(ADDRESS.to_owned())
    );
    bench.app.disable(LOGIN, ACTOR).await.unwrap();
    assert_eq!(resolve_reset(LOGIN, known).await, Answer::Nobody);
    let without = bench.found("04500002").await.account;
    assert_eq!(resolve_reset("04500002", without).await, Answer::Nobody);
    let phantom = bench.app.phantoms().stream("04500009");
    assert_eq!(resolve_reset("04500009", phantom).await, Answer::Nobody);
}

async fn resolve_notice(bench: &Bench, account: StreamId, position: Position) -> Answer {
    match bench.app.resolve_notice(account, position).await {
        Ok(Some(address)) => Answer::Address(address.as_str().to_owned()),
        Ok(None) => Answer::Nobody,
        Err(Error::MailNotOwed) => Answer::Dead,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_an_account_is_told_to_its_address_for_a_day() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.guess(LOGIN, 1..=9).await;
    let ninth = bench.newest().await.0.recorded.position;
    bench.guess(LOGIN, 10..=10).await;
    let locked = bench.newest().await.0.recorded.position;
    let told = Answer::Address(ADDRESS.to_owned());
    assert_eq!(resolve_notice(&bench, account, locked).await, told);
    assert_eq!(resolve_notice(&bench, account, ninth).await, Answer::Dead);
    let other = StreamId(uuid::Uuid::from_u128(1));
    assert_eq!(resolve_notice(&bench, other, locked).await, Answer::Dead);
    assert_eq!(
        resolve_notice(&bench, account, Position(9_999)).await,
        Answer::Dead
    );
    bench.shift_clock("clock_timestamp() + interval '25 hours'").await;
    assert_eq!(resolve_notice(&bench, account, locked).await, Answer::Dead);
}

/// Whoever reads at the old address must hear of it; whoever reads at the new one knows.
#[tokio::test(flavor = "multi_thread")]
async fn another_address_is_told_to_the_one_before_it_which_is_forgotten_after_a_day() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let to = |text: &str| Some(Address::try_from(text).unwrap());
    let first = bench
        .app
        .change_address(LOGIN, to("b@example.com"), ACTOR)
        .await
        .unwrap();
    let second = bench.app.change_address(LOGIN, None, ACTOR).await.unwrap();
    let third = bench
        .app
        .change_address(LOGIN, to("c@example.com"), ACTOR)
        .await
        .unwrap();
    let answers = [
        (first, Answer::Address(ADDRESS.to_owned())),
        (second, Answer::Address("b@example.com".to_owned())),
        (third, Answer::Nobody),
    ];
    for (position, answer) in answers {
        assert_eq!(resolve_notice(&bench, account, position).await, answer);
    }
    let store = bench.app.store();
    store.forget_former_addresses(bench.log.now()).await.unwrap();
    assert_eq!(
        bench
            .sql("select count(*) from credentials.former_address;")
            .trim(),
        "0"
    );
    assert_eq!(resolve_notice(&bench, account, first).await, Answer::Nobody);
}
