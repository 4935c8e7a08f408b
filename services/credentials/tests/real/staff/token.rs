//! ID tokens that lie in one way each: the client's modules of the conformance suite, and a few more (C-87, C-90, C-91).

use sekisho_credentials::app::{Error, Finished};
use sekisho_proto::credentials::v1::federated_identity_rejected::Reason;
use sekisho_proto::events::AccountEvent;
use serde_json::json;

use super::provider::{CLIENT_ID, CLIENT_SECRET, ED25519, OTHER_RSA, RSA, Signature, Token, now};
use super::{BINDING, Staff, TOKEN, beginning, client, is_accepted};
use crate::support::{ACTOR, ADDRESS, hash_without_password};

fn without(token: &mut Token, claim: &str) {
    token.claims.as_object_mut().unwrap().remove(claim);
}

/// What a lie is called, what it is, and what comes of it.
type Lie = (&'static str, fn(&mut Token), Finished);

const LIES: &[Lie] = &[
    (
        "invalid-iss",
        |token| token.claims["iss"] = json!("https://evil.example"),
        TOKEN,
    ),
    ("missing-iss", |token| without(token, "iss"), TOKEN),
    (
        "invalid-aud",
        |token| token.claims["aud"] = json!("another client"),
        TOKEN,
    ),
    ("missing-aud", |token| without(token, "aud"), TOKEN),
    (
        "second-aud",
        |token| token.claims["aud"] = json!([CLIENT_ID, "another client"]),
        TOKEN,
    ),
    (
        "invalid-azp",
        |token| token.claims["azp"] = json!("another client"),
        TOKEN,
    ),
    ("missing-sub", |token| without(token, "sub"), TOKEN),
    ("empty-sub", |token| token.claims["sub"] = json!(""), TOKEN),
    (
        "sub-with-space",
        |token| token.claims["sub"] = json!("ncr-1 "),
        TOKEN,
    ),
    ("missing-iat", |token| without(token, "iat"), TOKEN),
    (
        "iat-of-tomorrow",
        |token| token.claims["iat"] = json!(now() + 120),
        TOKEN,
    ),
    (
        "iat-of-long-ago",
        |token| token.claims["iat"] = json!(now() - 1_200),
        TOKEN,
    ),
    ("missing-exp", |token| without(token, "exp"), TOKEN),
    ("expired", |token| token.claims["exp"] = json!(now() - 120), TOKEN),
    (
        "invalid-sig-rs256",
        |token| token.signature = Signature::Damaged,
        TOKEN,
    ),
    (
        "key-of-somebody-else",
        |token| token.signature = Signature::Rsa(OTHER_RSA),
        TOKEN,
    ),
    ("sig-none", none, TOKEN),
    ("sig-hs256", hs256, TOKEN),
    ("unknown-kid", |token| token.header["kid"] = json!("key-9"), TOKEN),
    (
        "critical-header",
        |token| token.header["crit"] = json!(["b64"]),
        TOKEN,
    ),
    (
        "nonce-invalid",
        |token| token.claims["nonce"] = json!("another"),
        BINDING,
    ),
    ("nonce-missing", |token| without(token, "nonce"), BINDING),
    ("missing-auth-time", |token| without(token, "auth_time"), TOKEN),
    (
        "signed-in-yesterday",
        |token| token.claims["auth_time"] = json!(now() - 13 * 3_600),
        TOKEN,
    ),
    (
        "signed-in-tomorrow",
        |token| token.claims["auth_time"] = json!(now() + 120),
        TOKEN,
    ),
];

fn none(token: &mut Token) {
    token.header["alg"] = json!("none");
    token.signature = Signature::None;
}

/// With the secret that both know.
fn hs256(token: &mut Token) {
    token.header["alg"] = json!("HS256");
    token.signature = Signature::Hmac(CLIENT_SECRET);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lying_token_opens_anything() {
    let staff = Staff::new().await;
    let head = staff.head().await;
    for (name, lie, answer) in LIES {
        staff.provider.script().lie = *lie;
        assert_eq!(staff.sign_in().await, *answer, "{name}");
    }
    assert_eq!(
        staff.head().await,
        head,
        "nothing stands in a stream of an account"
    );
    staff.provider.script().lie = |_| ();
    assert!(is_accepted(&staff.sign_in().await), "the same without a lie");
    assert_eq!(staff.accepted().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_may_differ_by_a_minute() {
    let staff = Staff::new().await;
    let near: [fn(&mut Token); 4] = [
        |token| token.claims["iat"] = json!(now() + 50),
        |token| token.claims["exp"] = json!(now() - 50),
        |token| token.claims["auth_time"] = json!(now() + 50),
        |token| token.claims["auth_time"] = json!(now() - 12 * 3_600),
    ];
    for lie in near {
        staff.provider.script().lie = lie;
        assert!(is_accepted(&staff.sign_in().await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_be_signed_in_a_newer_way() {
    let staff = Staff::new().await;
    {
        let mut script = staff.provider.script();
        script.keys = vec![("key-1", RSA), ("key-2", ED25519)];
        script.lie = |token| {
            token.header = json!({ "alg": "EdDSA", "kid": "key-2" });
            token.signature = Signature::EdDsa;
        };
    }
    assert!(is_accepted(&staff.sign_in().await));
}

/// kid-absent-single-jwks and kid-absent-multiple-jwks: of one key it is that one, of several nobody guesses.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_key_id_is_believed_if_there_is_one_key() {
    let staff = Staff::new().await;
    staff.provider.script().lie = |token| {
        token.header.as_object_mut().unwrap().remove("kid");
    };
    assert!(is_accepted(&staff.sign_in().await));
    staff.provider.script().keys = vec![("key-1", RSA), ("key-2", OTHER_RSA)];
    let fresh = staff
        .bench
        .app
        .clone()
        .with_provider(client(&staff.provider, |_| ()));
    let of_several = Staff { app: fresh, ..staff };
    assert_eq!(of_several.sign_in().await, TOKEN);
}

/// The same provider, by an address that is none of this machine's own.
fn elsewhere(said: &mut serde_json::Value, what: &str) {
    let address = said[what].as_str().unwrap().replace("127.0.0.1", "0.0.0.0");
    said[what] = json!(address);
}

/// discovery-issuer-mismatch, and addresses that nobody should be sent to.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_names_itself_otherwise_is_not_asked() {
    let staff = Staff::new().await;
    let lies: [fn(&mut serde_json::Value); 5] = [
        |said| said["issuer"] = json!("https://evil.example"),
        |said| elsewhere(said, "authorization_endpoint"),
        |said| elsewhere(said, "token_endpoint"),
        |said| elsewhere(said, "jwks_uri"),
        |said| *said = json!("no metadata"),
    ];
    for lie in lies {
        staff.provider.script().metadata = lie;
        let app = staff
            .bench
            .app
            .clone()
            .with_provider(client(&staff.provider, |_| ()));
        let refused = app.begin_federated(beginning()).await;
        assert!(matches!(refused, Err(Error::ProviderUnreachable)), "{refused:?}");
    }
}

/// What stands in a stream of the person, and how many entries more.
async fn rejected(staff: &Staff) -> Reason {
    match staff.bench.newest().await.1 {
        AccountEvent::FederatedIdentityRejected(rejected) => rejected.reason(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_expected() {
    let staff = Staff::new().await;
    staff.provider.script().amr = vec!["pwd"];
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::FactorMissing));
    assert_eq!(rejected(&staff).await, Reason::FactorMissing);
    assert_eq!(staff.bench.newest().await.0.recorded.stream, staff.account);
    let head = staff.head().await;
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::FactorMissing));
    assert_eq!(staff.head().await, head, "one a minute");
    // Nothing is told of an account to who came without.
    staff.app.disable(crate::support::LOGIN, ACTOR).await.unwrap();
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::FactorMissing));

    staff.app.enable(crate::support::LOGIN, ACTOR).await.unwrap();
    for amr in ["mfa", "otp"] {
        staff.provider.script().amr = vec!["pwd", amr];
        assert!(is_accepted(&staff.sign_in().await), "{amr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_may_mean_that_there_was_a_second_factor() {
    let mut staff = Staff::new().await;
    staff.provider.script().amr = Vec::new();
    staff.provider.script().lie = |token| token.claims["acr"] = json!("urn:ncr:mfa");
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::FactorMissing));
    let provider = client(&staff.provider, |settings| {
        settings.acr = vec!["urn:ncr:mfa".to_owned()];
    });
    staff.app = staff.bench.app.clone().with_provider(provider);
    assert!(is_accepted(&staff.sign_in().await));
}

/// An account is found by issuer and subject and by nothing else: the token names the address of somebody else's account.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_found_by_an_address() {
    let staff = Staff::new().await;
    let phc = hash_without_password(1);
    let other = staff.bench.register_as("04500002", ADDRESS, &phc).await;
    staff.provider.script().subject = "ncr-2".to_owned();
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::NoAccount));
    assert_eq!(rejected(&staff).await, Reason::NoAccount);
    let stream = staff.bench.newest().await.0.recorded.stream;
    assert!(stream != other && stream != staff.account);
    assert!(sekisho_evidence::is_phantom(stream));
    // Told apart by case.
    staff.provider.script().subject = "NCR-1".to_owned();
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::NoAccount));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_stays_shut() {
    let staff = Staff::new().await;
    staff.app.disable(crate::support::LOGIN, ACTOR).await.unwrap();
    assert_eq!(staff.sign_in().await, Finished::Unopened(Reason::Disabled));
    assert_eq!(rejected(&staff).await, Reason::Disabled);
    staff.app.enable(crate::support::LOGIN, ACTOR).await.unwrap();
    assert!(is_accepted(&staff.sign_in().await));
}
