//! The whole way, and what is tied to what (C-86, C-88, C-89).

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::future::join_all;
use sekisho_credentials::app::{Beginning, Denied, Error, Finished, Outcome};
use sekisho_credentials::domain::client::Unvouched;
use sekisho_credentials::domain::{Account, Command, Identity, Rejection, Vouched, decide};
use sekisho_credentials::provider::{Authentication, SigningKey};
use sekisho_eventlog::Position;
use sekisho_evidence::{Flow, Mint, secret_digest};
use sekisho_proto::credentials::v1::SealedClient;
use sekisho_proto::events::{AccountEvent, SessionEvent};
use sekisho_proto::sessions::v1::SessionStarted;
use sekisho_service::settings::Secret;
use serde_json::json;
use time::OffsetDateTime;
use url::Url;

use super::provider::ED25519;
use super::{BINDING, FAILED, Staff, beginning, client, is_accepted};
use crate::support::{LOGIN, PASSWORD, SECRET, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_vouched_for_has_a_flow_that_opens_a_session() {
    let staff = Staff::new().await;
    let returned = staff.visit().await;
    let flow = returned.flow;
    let Finished::Accepted { end_session_url } = staff.finish(returned).await else {
        panic!("not accepted");
    };
    let (entry, event) = staff.bench.newest().await;
    let AccountEvent::FederatedIdentityAccepted(accepted) = event else {
        panic!("{event:?}");
    };
    assert_eq!(accepted.secret_digest, secret_digest(SECRET));
    assert!(accepted.authenticated_at.is_some());
    assert!(!accepted.client.unwrap().sealed.is_empty());
    let entries = staff.bench.log.flow(flow).await.unwrap();
    let (minted, proof) = Flow::fold(&entries)
        .unwrap()
        .evidence(
            Mint::SignIn,
            sekisho_evidence::Cuts::default(),
            staff.bench.log.now(),
        )
        .unwrap();
    assert_eq!(
        (minted.account, minted.position),
        (staff.account, entry.recorded.position)
    );
    assert_eq!(proof.position, minted.position);
    // Nobody has shown that mails to the address are theirs.
    let secret = Secret::new(SECRET.to_vec());
    let described = staff.app.describe_flow(flow, &secret, Position(0)).await.unwrap();
    assert!(
        described.address.is_empty() && described.masked_address.is_empty() && described.person.is_none()
    );

    let url: Url = end_session_url.parse().unwrap();
    let given: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(url.path(), "/session/end");
    assert_eq!(given["client_id"], "gtol");
    assert_eq!(
        given["post_logout_redirect_uri"],
        "https://portal.example.jp/signed-out"
    );
    assert_eq!(given.len(), 2, "no token goes along: {given:?}");
}

/// Of each parameter that ties the answer to the question, another one.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_question_is_none() {
    let staff = Staff::new().await;
    let of_another = staff.visit_with(false, [9; 32]).await;
    let begun = staff.head().await;
    let returned = || async { staff.visit().await };
    let changed = [
        ("no state", returned().await.with(|answer| answer.state.clear())),
        (
            "another's state",
            returned()
                .await
                .with(|answer| answer.state.clone_from(&of_another.answer.state)),
        ),
        // PKCE and nonce: a code of another browser is worth nothing here.
        (
            "another's code",
            returned()
                .await
                .with(|answer| answer.code.clone_from(&of_another.answer.code)),
        ),
        ("no code", returned().await.with(|answer| answer.code.clear())),
        (
            "another issuer",
            returned()
                .await
                .with(|answer| answer.iss = "https://evil.example".to_owned()),
        ),
        ("no issuer", returned().await.with(|answer| answer.iss.clear())),
        // The last moment that there is.
        (
            "a moment",
            returned().await.with(|answer| {
                answer.state = BASE64_URL_SAFE_NO_PAD
                    .encode([[0, 0, 0, 58, 255, 244, 65, 127].as_slice(), &[0; 33]].concat());
            }),
        ),
    ];
    for (what, returned) in changed {
        assert_eq!(staff.finish(returned).await, BINDING, "{what}");
    }
    let mut elsewhere = returned().await;
    elsewhere.host = "portal2.example.jp";
    assert_eq!(staff.finish(elsewhere).await, BINDING, "another host of ours");
    let mut nowhere = returned().await;
    nowhere.host = "evil.example";
    assert_eq!(staff.finish(nowhere).await, BINDING, "a host that is not ours");
    let mut of_another_browser = returned().await;
    of_another_browser.secret = [9; 32];
    assert_eq!(staff.finish(of_another_browser).await, BINDING, "another secret");
    let mut of_another_flow = returned().await;
    of_another_flow.flow = of_another.flow;
    assert_eq!(staff.finish(of_another_flow).await, BINDING, "another flow");
    let mut in_no_flow = returned().await.callback();
    in_no_flow.flow = None;
    assert_eq!(
        staff.app.finish_federated(in_no_flow).await.unwrap(),
        BINDING,
        "no flow"
    );
    assert_eq!(
        staff.head().await,
        begun,
        "nothing stands in a stream of an account"
    );

    // The answer itself still counts.
    assert!(is_accepted(&staff.sign_in().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_once_and_a_reload_of_it_brings_the_same_flow() {
    let staff = Staff::new().await;
    let returned = staff.visit().await;
    assert!(is_accepted(&staff.finish(returned.clone()).await));
    // Its session did not open: the page is loaded again. Nobody asks the provider, which may take a code that comes twice for stolen.
    staff.provider.script().refuses = Some((StatusCode::INTERNAL_SERVER_ERROR, json!({})));
    assert!(is_accepted(&staff.finish(returned.clone()).await));
    assert_eq!(staff.accepted().await, 1);
    let started: SessionEvent = SessionStarted::default().into();
    staff
        .bench
        .as_sessions(staff.account, Some(returned.flow), started)
        .await;
    // Whether the session lives is for sessions to say.
    assert!(is_accepted(&staff.finish(returned).await));
    assert_eq!(staff.accepted().await, 1);
}

/// Whoever loads the page again does not wait for what the first answer comes to, and finds its code spent.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_while_an_answer_is_looked_at_brings_the_same_flow() {
    let staff = Staff::new().await;
    staff.provider.script().hesitation = Duration::from_millis(500);
    let returned = staff.visit().await;
    let spent = || (staff.provider.spent.load(Ordering::SeqCst) > 0).then_some(());
    let hung_up = staff.app.finish_federated(returned.clone().callback());
    tokio::select! {
        finished = hung_up => panic!("{finished:?}"),
        () = eventually("the code to be spent", async || spent()) => {}
    }
    // On another replica.
    let other = client(&staff.provider, |_| ());
    let other = staff.bench.app.clone().with_provider(other);
    let finished = other.finish_federated(returned.callback()).await.unwrap();
    assert!(is_accepted(&finished), "{finished:?}");
    assert_eq!(staff.accepted().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_answers_at_once_one_counts() {
    let staff = Staff::new().await;
    for spends_codes in [true, false] {
        // One that lets a code be used as often as somebody likes leaves it to us.
        staff.provider.script().spends_codes = spends_codes;
        let before = staff.accepted().await;
        let returned = staff.visit().await;
        let answers = (0..8).map(|_| staff.finish(returned.clone()));
        let answers = join_all(answers).await;
        assert!(answers.iter().all(is_accepted), "{answers:?}");
        assert_eq!(staff.accepted().await, before + 1, "{answers:?}");
        let flow = Flow::fold(&staff.bench.log.flow(returned.flow).await.unwrap()).unwrap();
        assert!(matches!(flow, Flow::Verified(..)), "{flow:?}");
        // Whoever loads the page again finds what came of it.
        assert!(is_accepted(&staff.finish(returned).await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_never_promised_to_say_who_it_is_need_not() {
    let staff = Staff::new().await;
    staff.provider.script().metadata = |said| {
        said["authorization_response_iss_parameter_supported"] = json!(false);
    };
    let returned = staff.visit().await.with(|answer| answer.iss.clear());
    assert!(is_accepted(&staff.finish(returned).await));
    let returned = staff
        .visit()
        .await
        .with(|answer| answer.iss = "https://evil.example".to_owned());
    assert_eq!(
        staff.finish(returned).await,
        BINDING,
        "what it says counts all the same"
    );
}

/// Each of them is a request to the provider in our name.
#[tokio::test(flavor = "multi_thread")]
async fn made_up_codes_are_not_asked_about_for_ever() {
    let staff = Staff::new().await;
    let returned = staff.visit().await;
    let ask = |number: usize| {
        let made_up = returned
            .clone()
            .with(|answer| answer.code = format!("made up {number}"));
        staff.app.finish_federated(made_up.callback())
    };
    for finished in join_all((0..59).map(ask)).await {
        assert_eq!(finished.unwrap(), BINDING);
    }
    assert_eq!(ask(59).await.unwrap(), BINDING);
    let refused = ask(60).await;
    assert!(matches!(refused, Err(Error::Throttled)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_yesterday_comes_too_late() {
    let staff = Staff::new().await;
    let returned = staff.visit().await;
    staff
        .bench
        .shift_clock("clock_timestamp() + interval '31 minutes'")
        .await;
    assert_eq!(staff.finish(returned).await, BINDING);
    assert_eq!(staff.accepted().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_asks_who_it_is_where_somebody_was_before() {
    let staff = Staff::new().await;
    let prompt = async |ask_again| {
        let beginning = Beginning {
            ask_again,
            ..beginning()
        };
        let (_, url) = staff.app.begin_federated(beginning).await.unwrap();
        let url: Url = url.expose().parse().unwrap();
        let mut pairs = url.query_pairs().into_owned();
        pairs.find(|(name, _)| name == "prompt").map(|(_, value)| value)
    };
    assert_eq!(prompt(true).await.as_deref(), Some("login"));
    assert_eq!(prompt(false).await, None);

    // It says that it asked, and did not.
    staff.provider.script().signed_in_ago = 600;
    let returned = staff.visit_with(true, *SECRET).await;
    assert_eq!(staff.finish(returned).await, super::TOKEN);
    assert!(
        is_accepted(&staff.sign_in().await),
        "ten minutes are no matter otherwise"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_no_has_its_reason() {
    let staff = Staff::new().await;
    let refusals = [
        ("access_denied", Unvouched::Cancelled),
        ("login_required", Unvouched::Retry),
        ("interaction_required", Unvouched::Retry),
        ("server_error", Unvouched::ProviderFailed),
        ("nonsense", Unvouched::ProviderFailed),
    ];
    for (error, why) in refusals {
        let returned = staff.visit().await.with(|answer| {
            answer.code.clear();
            answer.error = error.to_owned();
        });
        assert_eq!(staff.finish(returned).await, Finished::Unvouched(why), "{error}");
    }
    for (status, answer, why) in [
        (
            StatusCode::BAD_REQUEST,
            json!({ "error": "invalid_grant" }),
            BINDING,
        ),
        (
            StatusCode::UNAUTHORIZED,
            json!({ "error": "invalid_client" }),
            FAILED,
        ),
        (StatusCode::BAD_REQUEST, json!({ "error": "nonsense" }), FAILED),
        (
            StatusCode::OK,
            json!({ "access_token": "x", "token_type": "Bearer" }),
            super::TOKEN,
        ),
        (StatusCode::BAD_GATEWAY, json!("nothing"), super::UNREACHABLE),
    ] {
        staff.provider.script().refuses = Some((status, answer.clone()));
        assert_eq!(staff.sign_in().await, why, "{status} {answer}");
    }
    assert_eq!(staff.accepted().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn we_prove_who_we_are_by_a_signature_as_well() {
    let mut staff = Staff::new().await;
    staff.provider.script().client_key = Some(ED25519);
    assert_eq!(
        staff.sign_in().await,
        FAILED,
        "the secret is not what is asked for"
    );
    let provider = client(&staff.provider, |settings| {
        settings.authentication = Authentication::Key(SigningKey::read(ED25519).unwrap());
    });
    staff.app = staff.bench.app.clone().with_provider(provider);
    assert!(is_accepted(&staff.sign_in().await));
}

/// To whoever types it, the account is one that nobody has: an NCR account opens it and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn no_password_opens_an_account_that_is_linked() {
    let staff = Staff::new().await;
    let outcome = staff.bench.sign_in(LOGIN, PASSWORD).await;
    assert_eq!(outcome, Outcome::Denied(Denied::UnknownAccount));
    let before = staff.bench.account(staff.account).await;
    let flow = staff.bench.reset(LOGIN).await;
    let of_flow = staff.bench.log.flow(flow).await.unwrap();
    assert!(of_flow.iter().all(|entry| entry.recorded.stream != staff.account));
    assert_eq!(staff.bench.account(staff.account).await, before);
}

/// The tables alone say nothing: whoever can write there makes nobody anybody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_not_in_the_log_opens_nothing() {
    let staff = Staff::new().await;
    staff
        .bench
        .sql("update credentials.federated_identity set subject = 'ncr-9';");
    staff.provider.script().subject = "ncr-9".to_owned();
    let returned = staff.visit().await;
    let refused = staff.app.finish_federated(returned.callback()).await;
    assert!(matches!(refused, Err(Error::Broken(_))), "{refused:?}");
    assert_eq!(staff.accepted().await, 0);
}

#[test]
fn who_was_looked_up_before_the_link_ended_is_looked_up_again() {
    let vouched = Vouched {
        secret_digest: [7; 32],
        linked: Some(Identity([1; 32])),
        has_second_factor: true,
        authenticated_at: OffsetDateTime::UNIX_EPOCH,
        client: SealedClient::default(),
    };
    let decided = decide(
        &Account::default(),
        OffsetDateTime::UNIX_EPOCH,
        Command::AcceptIdentity(vouched),
    );
    assert_eq!(decided, Err(Rejection::VerdictStale));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_nobody_is_sent_anywhere() {
    let staff = Staff::new().await;
    let without = staff.bench.app.begin_federated(beginning()).await;
    assert!(matches!(without, Err(Error::ProviderMissing)), "{without:?}");
    let elsewhere = Beginning {
        host: "evil.example".to_owned(),
        ..beginning()
    };
    let refused = staff.app.begin_federated(elsewhere).await;
    assert!(matches!(refused, Err(Error::ProviderMissing)), "{refused:?}");
    let callback = staff.visit().await.callback();
    let refused = staff.bench.app.finish_federated(callback).await;
    assert!(matches!(refused, Err(Error::ProviderMissing)), "{refused:?}");
}

/// C-92: nothing that the provider gives is kept.
#[tokio::test(flavor = "multi_thread")]
async fn of_the_providers_tokens_nothing_is_kept() {
    let staff = Staff::new().await;
    assert!(is_accepted(&staff.sign_in().await));
    let entries = staff
        .bench
        .sql("select encode(payload, 'escape') || encode(metadata, 'escape') from log.entry;");
    let kept = format!("{}{entries}", crate::support::dump(&staff.bench));
    assert!(kept.contains(super::SUBJECT), "the link is there");
    for canary in [
        "canary-access",
        "canary-refresh",
        "canary-code",
        "canary client secret",
        "eyJ",
    ] {
        assert!(!kept.contains(canary), "{canary}");
    }
}
