//! Who we are to the provider, and the exchange of a code for an ID token (OpenID Connect Core 1.0, 3.1.3 and 9).

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreClient, CoreClientAuthMethod, CoreEdDsaPrivateSigningKey, CoreErrorResponseType, CoreIdToken,
    CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, PkceCodeVerifier, PrivateSigningKey, RedirectUrl, RequestTokenError, StandardErrorResponse,
    TokenResponse as _,
};
use sekisho_service::entropy;
use sekisho_service::settings::Secret;
use serde_json::json;
use time::OffsetDateTime;
use ureq::Agent;

use super::discovery::Discovered;
use super::http::{Http, HttpError, send};
use super::{Distrust, ProviderSettings, Unreachable};

/// How long an assertion is good.
const ASSERTION_LIFE: i64 = 60;

/// How we prove to the provider who we are.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// By a secret that both know.
    Secret(Secret<String>),
    /// By a signature (`private_key_jwt`).
    Key(SigningKey),
}

/// A private key of ours. Never printed. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey(Arc<Kind>);

enum Kind {
    EdDsa(CoreEdDsaPrivateSigningKey),
    Rsa(CoreRsaPrivateSigningKey),
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A code that is to be exchanged.
pub(super) struct Exchange {
    pub discovered: Arc<Discovered>,
    pub settings: Arc<ProviderSettings>,
    pub code: Secret<String>,
    pub verifier: Secret<String>,
    pub redirect_uri: String,
    pub now: OffsetDateTime,
}

/// The library's client for one host of the portal.
pub(super) fn client(
    discovered: &Discovered,
    settings: &ProviderSettings,
    redirect_uri: &str,
) -> Option<Client> {
    let secret = match &settings.authentication {
        Authentication::Secret(secret) => Some(ClientSecret::new(secret.expose().clone())),
        Authentication::Key(_) => None,
    };
    let client_id = ClientId::new(settings.client_id.clone());
    let client = CoreClient::from_provider_metadata(discovered.metadata.clone(), client_id, secret);
    let methods = discovered.metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_none_or(|methods| methods.contains(&method));
    let client = if takes(CoreClientAuthMethod::ClientSecretBasic) {
        client
    } else {
        client.set_auth_type(AuthType::RequestBody)
    };
    Some(client.set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).ok()?))
}

impl Exchange {
    /// Asks the token endpoint.
    pub async fn run(self, http: &Http) -> Result<CoreIdToken, Distrust> {
        let asked = http.run(move |agent| self.ask(agent)).await;
        asked.map_err(|Unreachable| Distrust::Unreachable)?
    }

    fn ask(&self, agent: &Agent) -> Result<CoreIdToken, Distrust> {
        let client = client(&self.discovered, &self.settings, &self.redirect_uri).ok_or(Distrust::Failed)?;
        let code = AuthorizationCode::new(self.code.expose().clone());
        let request = client.exchange_code(code).map_err(|_| Distrust::Unreachable)?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(self.verifier.expose().clone()));
        let request = match &self.settings.authentication {
            Authentication::Secret(_) => request,
            Authentication::Key(key) => request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", self.assertion(key)?),
        };
        let status = Cell::new(0);
        let answer = request.request(&|request: HttpRequest| {
            let answer = send(agent, request)?;
            status.set(answer.status().as_u16());
            Ok::<_, HttpError>(answer)
        });
        let answer = answer.map_err(|error| distrust(&error, status.get()))?;
        answer.id_token().cloned().ok_or(Distrust::Token)
    }

    /// A JWT that says who asks (RFC 7523, 3).
    fn assertion(&self, key: &SigningKey) -> Result<String, Distrust> {
        let (client_id, now) = (&self.settings.client_id, self.now.unix_timestamp());
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": self.discovered.metadata.issuer().as_str(),
            "jti": BASE64_URL_SAFE_NO_PAD.encode(entropy::bytes::<16>()),
            "iat": now,
            "exp": now + ASSERTION_LIFE,
        });
        key.sign(&claims).ok_or(Distrust::Failed)
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Nothing of the answer is logged but its status and the name of an error: a token may stand in it.
fn distrust(
    error: &RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>,
    status: u16,
) -> Distrust {
    let (distrust, said) = match error {
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            // A code that is spent, too old or of another question (RFC 6749, 5.2; RFC 7636, 4.6).
            CoreErrorResponseType::InvalidGrant => (Distrust::Spent, "invalid_grant"),
            CoreErrorResponseType::InvalidClient => (Distrust::Failed, "invalid_client: it does not know us"),
            _ => (Distrust::Failed, "another error"),
        },
        RequestTokenError::Request(error) => {
            tracing::warn!(%error, "the provider's token endpoint did not answer");
            return Distrust::Unreachable;
        }
        RequestTokenError::Parse(..) if status == 200 => (Distrust::Token, "no ID token that can be read"),
        _ if status >= 500 => (Distrust::Unreachable, "nothing that can be used"),
        _ => (Distrust::Failed, "nothing that can be used"),
    };
    tracing::warn!(status, said, "the provider's token endpoint answered");
    distrust
}

impl SigningKey {
    /// Reads a key: Ed25519 in PKCS#8 or RSA in PKCS#1, PEM.
    pub fn read(pem: &str) -> Option<Self> {
        let ed25519 = CoreEdDsaPrivateSigningKey::from_ed25519_pem(pem, None).map(Kind::EdDsa);
        let any = ed25519.or_else(|_| CoreRsaPrivateSigningKey::from_pem(pem, None).map(Kind::Rsa));
        any.ok().map(|kind| Self(Arc::new(kind)))
    }

    /// A JWT with these claims (RFC 7519).
    fn sign(&self, claims: &serde_json::Value) -> Option<String> {
        let (name, algorithm) = match *self.0 {
            Kind::EdDsa(_) => ("EdDSA", CoreJwsSigningAlgorithm::EdDsa),
            Kind::Rsa(_) => ("RS256", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
        };
        let header = json!({ "alg": name, "typ": "JWT" });
        let [header, claims] = [&header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = match &*self.0 {
            Kind::EdDsa(key) => key.sign(&algorithm, signed.as_bytes()),
            Kind::Rsa(key) => key.sign(&algorithm, signed.as_bytes()),
        };
        Some(format!(
            "{signed}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature.ok()?)
        ))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
