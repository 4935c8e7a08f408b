//! What the help desk is told.

use sekisho_credentials::app::{Episode, Error, PasswordChange, Question};
use sekisho_proto::Kind;
use sekisho_proto::credentials::v1::FederatedIdentityRejected;
use sekisho_proto::events::{AccountEvent, CodeEvent};
use sekisho_proto::otp::v1::{Mailed, Purpose};
use sekisho_service::enquiry::Enquiry;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;

use crate::support::{ACTOR, Bench, LOGIN, SECRET, append};

async fn episodes(bench: &Bench, login: &str) -> Vec<Episode> {
    let question = Question::Login(login.to_owned());
    bench.app.explain(question).await.unwrap().episodes
}

fn types(episode: &Episode) -> Vec<&str> {
    let types = episode.entries.iter().map(|entry| entry.event_type.as_str());
    types.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_told_with_everything_that_came_of_it() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.guess(LOGIN, 1..=1).await;
    let flow = bench.accepted().await;
    bench.verify_code(account, flow, Purpose::SignIn).await;
    bench.app.disable(LOGIN, ACTOR).await.unwrap();

    let question = Question::Login("０４５００００１".to_owned());
    let explained = bench.app.explain(question).await.unwrap();
    let told: Vec<_> = explained.episodes.iter().map(types).collect();
    assert_eq!(
        told,
        [
            &["account_disabled"][..],
            &["password_accepted", "code_issued", "code_accepted"],
            &["password_rejected"],
            &["account_registered"],
        ]
    );
    assert!(explained.account.unwrap().disabled);
    let enquiry = Enquiry::of_flow(*flow.0.as_bytes());
    assert_eq!(explained.episodes[1].enquiry, Some(enquiry));
    assert_eq!(explained.episodes[0].enquiry, None);

    let by_number = bench.app.explain(Question::Enquiry(enquiry)).await.unwrap();
    assert_eq!(by_number.account.unwrap().account, account);
    assert_eq!(by_number.episodes.len(), 4);
    // What was asked for comes first.
    assert_eq!(by_number.episodes[0].enquiry, Some(enquiry));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_one_episode_however_much_happened_in_it() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    let flow = bench.reset(LOGIN).await;
    bench.verify_code(account, flow, Purpose::Reset).await;
    let change = PasswordChange {
        flow,
        secret: Secret::new(SECRET.to_vec()),
        new_password: Secret::new("a new password of more than fifteen".to_owned()),
        command: entropy::bytes().into(),
        device: None,
    };
    bench.app.set_password(change).await.unwrap();
    let told = episodes(&bench, LOGIN).await;
    assert_eq!(
        types(&told[0]),
        [
            "password_reset_requested",
            "code_issued",
            "code_accepted",
            "password_changed"
        ]
    );
    assert_eq!(told.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_attempts_are_told_and_what_administrators_did_and_nothing_old() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.app.disable(LOGIN, ACTOR).await.unwrap();
    bench.app.enable(LOGIN, ACTOR).await.unwrap();
    bench.guess(LOGIN, 1..=12).await;
    let told = episodes(&bench, LOGIN).await;
    let types: Vec<_> = told.iter().map(|episode| types(episode)[0]).collect();
    assert_eq!(types.iter().filter(|of| of.starts_with("account_")).count(), 3);
    assert_eq!(types.len(), 13, "{types:?}");
    for _ in 0..11 {
        let refused = AccountEvent::from(FederatedIdentityRejected::default());
        append(&bench.log, account, None, &refused).await;
    }
    let told = episodes(&bench, LOGIN).await;
    assert_eq!(told.len(), 10 + 3, "also of staff");
    bench.shift_clock("clock_timestamp() + interval '15 days'").await;
    assert_eq!(episodes(&bench, LOGIN).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_told_with_what_it_tells_of() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    bench.guess(LOGIN, 1..=10).await;
    let locked = bench.newest().await.0.recorded.position;
    let mailed = Mailed {
        about: locked.0,
        attempt: 1,
        reply: 250,
    };
    append(&bench.otp, account, None, &CodeEvent::from(mailed)).await;
    let told = episodes(&bench, LOGIN).await;
    assert_eq!(types(&told[0]), ["password_rejected", "mailed"]);
    assert_eq!(types(&told[1]), ["password_rejected"]);
}

/// Whoever mistypes the login id is told so, and what was tried with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_id_that_nobody_has_is_explained_too() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.guess("04500009", 1..=1).await;
    let flow = bench.reset("04500009").await;
    let explained = bench
        .app
        .explain(Question::Login("04500009".to_owned()))
        .await
        .unwrap();
    assert!(explained.account.is_none());
    let told: Vec<_> = explained.episodes.iter().map(types).collect();
    assert_eq!(told, [["password_reset_requested"], ["password_rejected"]]);
    assert!(matches!(
        explained.episodes[1].entries[0].event().unwrap(),
        AccountEvent::PasswordRejected(_)
    ));
    assert_eq!(explained.episodes[0].entries[0].kind, Kind::Account);

    let enquiry = Enquiry::of_flow(*flow.0.as_bytes());
    let by_number = bench.app.explain(Question::Enquiry(enquiry)).await.unwrap();
    assert!(by_number.account.is_none());
    assert_eq!(by_number.episodes.len(), 2);
    let unknown = bench.app.explain(Question::Enquiry(Enquiry::random())).await;
    assert!(matches!(unknown, Err(Error::EnquiryUnknown)));
}
