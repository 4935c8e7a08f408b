//! An OpenID provider that lies when it is told to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use openidconnect::core::{
    CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey,
};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

pub const CLIENT_ID: &str = "gtol";
pub const CLIENT_SECRET: &str = "canary client secret";
/// Keys that were made for these tests.
pub const RSA: &str = include_str!("rsa.pem");
pub const OTHER_RSA: &str = include_str!("other-rsa.pem");
pub const ED25519: &str = include_str!("ed25519.pem");

/// The provider.
#[derive(Clone)]
pub struct Scripted {
    pub issuer: String,
    script: Arc<Mutex<Script>>,
    /// How often it was asked for its keys.
    pub asked_for_keys: Arc<AtomicUsize>,
    /// How many codes it has taken.
    pub spent: Arc<AtomicUsize>,
}

/// What it does.
pub struct Script {
    /// What it publishes, with their ids.
    pub keys: Vec<(&'static str, &'static str)>,
    /// Which of them it signs with.
    pub signs_with: &'static str,
    pub subject: String,
    pub amr: Vec<&'static str>,
    /// How long ago the person signed in there, in seconds.
    pub signed_in_ago: i64,
    /// What it changes before it signs.
    pub lie: fn(&mut Token),
    pub metadata: fn(&mut Value),
    /// What the token endpoint answers in place of tokens.
    pub refuses: Option<(StatusCode, Value)>,
    pub delay: Duration,
    /// Between spending a code and answering.
    pub hesitation: Duration,
    /// A code is good once, as it has to be.
    pub spends_codes: bool,
    /// Clients prove who they are by a signature with this key.
    pub client_key: Option<&'static str>,
    questions: HashMap<String, Question>,
}

/// What a browser was sent with.
#[derive(Clone)]
struct Question {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

/// An ID token before it is signed.
pub struct Token {
    pub header: Value,
    pub claims: Value,
    pub signature: Signature,
}

/// How it is signed.
#[derive(Clone, Copy)]
pub enum Signature {
    Rsa(&'static str),
    EdDsa,
    Hmac(&'static str),
    None,
    /// A bit of it is another one.
    Damaged,
}

/// What a browser brings back.
#[derive(Clone, Default)]
pub struct Answer {
    pub state: String,
    pub code: String,
    pub iss: String,
    pub error: String,
    pub error_description: String,
}

impl Scripted {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            script: Arc::new(Mutex::new(Script::honest())),
            asked_for_keys: Arc::default(),
            spent: Arc::default(),
        };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Signs the person in who was sent here.
    pub fn visit(&self, url: &str) -> Answer {
        let url: Url = url.parse().unwrap();
        assert_eq!(url.path(), "/auth");
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("code_challenge_method", "S256"),
            ("scope", "openid"),
            ("max_age", "43200"),
        ] {
            assert_eq!(asked[name], value, "{name}");
        }
        let code = format!("canary-code-{}", asked["nonce"]);
        let question = Question {
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
        };
        self.script().questions.insert(code.clone(), question);
        Answer {
            state: asked["state"].clone(),
            code,
            iss: self.issuer.clone(),
            ..Answer::default()
        }
    }
}

impl Script {
    fn honest() -> Self {
        Self {
            keys: vec![("key-1", RSA)],
            signs_with: "key-1",
            subject: super::SUBJECT.to_owned(),
            amr: vec!["pwd", "otp"],
            signed_in_ago: 0,
            lie: |_| (),
            metadata: |_| (),
            refuses: None,
            delay: Duration::ZERO,
            hesitation: Duration::ZERO,
            spends_codes: true,
            client_key: None,
            questions: HashMap::new(),
        }
    }
}

async fn metadata(State(provider): State<Scripted>) -> Response {
    let delay = provider.script().delay;
    tokio::time::sleep(delay).await;
    let issuer = &provider.issuer;
    let mut said = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/session/end"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "authorization_response_iss_parameter_supported": true,
    });
    (provider.script().metadata)(&mut said);
    Json(said).into_response()
}

async fn keys(State(provider): State<Scripted>) -> Json<Value> {
    provider.asked_for_keys.fetch_add(1, Ordering::SeqCst);
    let published = provider.script().keys.clone();
    let keys = published.into_iter().map(|(kid, pem)| {
        let id = Some(JsonWebKeyId::new(kid.to_owned()));
        let key = if pem == ED25519 {
            CoreEdDsaPrivateSigningKey::from_ed25519_pem(pem, id)
                .unwrap()
                .as_verification_key()
        } else {
            rsa(pem, kid).as_verification_key()
        };
        let mut key = serde_json::to_value(key).unwrap();
        if kid.is_empty() {
            key.as_object_mut().unwrap().remove("kid");
        }
        key
    });
    Json(json!({ "keys": keys.collect::<Vec<_>>() }))
}

async fn token(
    State(provider): State<Scripted>,
    headers: HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let (delay, hesitation) = {
        let script = provider.script();
        (script.delay, script.hesitation)
    };
    tokio::time::sleep(delay).await;
    let answer = redeemed(&provider, &headers, &asked);
    if answer.status() == StatusCode::OK {
        provider.spent.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(hesitation).await;
    }
    answer
}

fn redeemed(provider: &Scripted, headers: &HeaderMap, asked: &HashMap<String, String>) -> Response {
    let mut script = provider.script();
    if let Some((status, answer)) = script.refuses.clone() {
        return (status, Json(answer)).into_response();
    }
    let is_ours = match script.client_key {
        None => headers
            .get(header::AUTHORIZATION)
            .is_some_and(|value| is_the_secret(value.to_str().unwrap())),
        Some(key) => is_signed(asked, key, &provider.issuer),
    };
    if !is_ours {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "error": "invalid_client" })),
        )
            .into_response();
    }
    let digest = Sha256::digest(asked["code_verifier"].as_bytes());
    let question = if script.spends_codes {
        script.questions.remove(&asked["code"])
    } else {
        script.questions.get(&asked["code"]).cloned()
    };
    let question = question.filter(|question| {
        question.challenge == BASE64_URL_SAFE_NO_PAD.encode(digest)
            && question.redirect_uri == asked["redirect_uri"]
    });
    let Some(question) = question else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let signed = signed_token(&script, &provider.issuer, &question.nonce);
    let answer = json!({
        "access_token": "canary-access-token",
        "token_type": "Bearer",
        "refresh_token": "canary-refresh-token",
        "id_token": signed,
    });
    Json(answer).into_response()
}

/// By the provider's own clock, in seconds.
#[expect(clippy::disallowed_methods, reason = "the provider knows nothing of the log")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn signed_token(script: &Script, issuer: &str, nonce: &str) -> String {
    let now = now();
    let (kid, pem) = script
        .keys
        .iter()
        .find(|(kid, _)| *kid == script.signs_with)
        .unwrap();
    let mut token = Token {
        header: json!({ "alg": "RS256", "typ": "JWT", "kid": kid }),
        claims: json!({
            "iss": issuer,
            "sub": script.subject,
            "aud": CLIENT_ID,
            "nonce": nonce,
            "iat": now,
            "exp": now + 600,
            "auth_time": now - script.signed_in_ago,
            "amr": script.amr,
            "email": crate::support::ADDRESS,
        }),
        signature: Signature::Rsa(pem),
    };
    (script.lie)(&mut token);
    let parts = [&token.header, &token.claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    let text = parts.join(".");
    let rs256 = |pem| {
        let key = rsa(pem, "");
        key.sign(&CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256, text.as_bytes())
            .unwrap()
    };
    let signature = match token.signature {
        Signature::Rsa(pem) => rs256(pem),
        Signature::EdDsa => {
            let key = CoreEdDsaPrivateSigningKey::from_ed25519_pem(ED25519, None).unwrap();
            key.sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes())
                .unwrap()
        }
        Signature::Hmac(secret) => {
            let key = CoreHmacKey::new(secret.as_bytes().to_vec());
            key.sign(&CoreJwsSigningAlgorithm::HmacSha256, text.as_bytes())
                .unwrap()
        }
        Signature::None => Vec::new(),
        Signature::Damaged => {
            let mut signature = rs256(RSA);
            signature[7] ^= 1;
            signature
        }
    };
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn rsa(pem: &str, kid: &str) -> CoreRsaPrivateSigningKey {
    CoreRsaPrivateSigningKey::from_pem(pem, Some(JsonWebKeyId::new(kid.to_owned()))).unwrap()
}

/// RFC 6749, 2.3.1.
fn is_the_secret(authorization: &str) -> bool {
    let pair = format!("{CLIENT_ID}:{}", CLIENT_SECRET.replace(' ', "+"));
    authorization == format!("Basic {}", BASE64_STANDARD.encode(pair))
}

/// Whether an assertion says who asks, and was signed with this key (RFC 7523, 3).
fn is_signed(asked: &HashMap<String, String>, key: &str, issuer: &str) -> bool {
    let Some(assertion) = asked.get("client_assertion") else {
        return false;
    };
    let (text, signature) = assertion.rsplit_once('.').unwrap();
    let (_, claims) = text.split_once('.').unwrap();
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    // Ed25519 signs the same text the same way.
    let signer = CoreEdDsaPrivateSigningKey::from_ed25519_pem(key, None).unwrap();
    let expected = signer
        .sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes())
        .unwrap();
    let [issued_at, expires_at] = ["iat", "exp"].map(|moment| claims[moment].as_i64().unwrap());
    asked["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        && BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap() == expected
        && [&claims["iss"], &claims["sub"]]
            .into_iter()
            .all(|name| name == CLIENT_ID)
        && claims["aud"] == issuer
        && !claims["jti"].as_str().unwrap().is_empty()
        && (1..=60).contains(&(expires_at - issued_at))
}
