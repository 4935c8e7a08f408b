//! The NCR provider, which vouches for staff of NCC and prefectures (OpenID Connect Core 1.0, authorization code flow with PKCE).
//!
//! Whatever it answers is looked at and dropped: of its tokens nothing is kept, told or logged but whom they are about.

mod client;
mod discovery;
mod http;
mod id_token;

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow};
use openidconnect::{
    AuthenticationContextClass, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
};
use sekisho_service::settings::Secret;
use sekisho_service::tls::Certificates;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};
use url::Url;

use crate::domain::SubjectIdentifier;
use crate::sealing::Question;
use discovery::{Discovered, Discovery};
use http::Http;

pub use client::{Authentication, SigningKey};
pub use discovery::Freshness;
pub(crate) use discovery::is_loopback;

/// How long ago a person may have signed in at the provider (screens 2.10).
const MAX_AGE: time::Duration = time::Duration::hours(12);
/// By how much the provider's clock may differ from the log's (screens 2.10).
const LEEWAY: time::Duration = time::Duration::MINUTE;
/// How long ago an ID token may have been issued: it is fetched as soon as the browser is back.
const ID_TOKEN_AGE: time::Duration = time::Duration::minutes(10);

/// Where the provider is, and who we are to it.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// As its ID tokens name it, letter for letter.
    pub issuer: IssuerUrl,
    /// Our name there.
    pub client_id: String,
    /// How we prove it.
    pub authentication: Authentication,
    /// The origins of the portal that are registered there, such as `https://portal.internal.gtol.ncc.go.jp`.
    pub origins: Vec<Url>,
    /// Authentication methods (`amr`, RFC 8176), each of which means that there was a second factor.
    pub amr: Vec<String>,
    /// Authentication contexts (`acr`) that mean the same.
    pub acr: Vec<String>,
    /// How long it may take to answer.
    pub patience: Duration,
    /// Who signs its certificate, if the public authorities do not.
    pub authority: Option<Certificates>,
    /// How long what it says of itself is used.
    pub freshness: Freshness,
}

/// The provider.
#[derive(Debug)]
pub struct Provider {
    settings: Arc<ProviderSettings>,
    hosts: Vec<Host>,
    discovery: Discovery,
    http: Http,
}

/// One host of the portal.
#[derive(Debug)]
struct Host {
    /// With its port, if the address has one.
    authority: String,
    redirect_uri: RedirectUrl,
    signed_out: Url,
}

/// Whom the provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Never reassigned there.
    pub subject: SubjectIdentifier,
    /// The person signed in there with a second factor.
    pub has_second_factor: bool,
    /// When.
    pub authenticated_at: OffsetDateTime,
}

/// Why the provider is believed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// It knows no such code of this question, or no more.
    Spent,
    /// Its ID token is not about our question.
    Nonce,
    /// It refuses.
    Failed,
    /// It does not answer in time, or nothing that can be used.
    Unreachable,
    /// Its ID token is not in order.
    Token,
}

/// The provider does not say where to send people to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider cannot be reached")]
pub struct Unreachable;

impl Provider {
    /// A provider that nobody has asked for anything yet.
    pub fn new(settings: ProviderSettings) -> Self {
        let is_encrypted = settings.issuer.url().scheme() == "https";
        let http = Http::new(settings.patience, settings.authority.as_ref(), is_encrypted);
        let discovery = Discovery::new(settings.issuer.clone(), http.clone());
        Self {
            hosts: settings.origins.iter().map(Host::of).collect(),
            discovery,
            settings: Arc::new(settings),
            http,
        }
    }

    /// As its ID tokens write it.
    pub fn issuer(&self) -> &str {
        self.settings.issuer.as_str()
    }

    /// How long it may take to answer, all in all.
    pub fn patience(&self) -> Duration {
        self.settings.patience
    }

    /// Where the browser comes back to at a host; `None` for one that is not registered.
    pub fn redirect_uri(&self, host: &str) -> Option<&str> {
        self.host(host).map(|host| host.redirect_uri.as_str())
    }

    /// The authorization request, as an address for the browser: `question` is what it asks.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn authorization(
        &self,
        question: &Question,
        redirect_uri: &str,
    ) -> Result<Secret<String>, Unreachable> {
        let discovered = self.discovery.within(self.settings.freshness.leading).await?;
        let client = client::client(&discovered, &self.settings, redirect_uri).ok_or(Unreachable)?;
        let (state, nonce) = (question.state.expose().clone(), question.nonce.expose().clone());
        let verifier = PkceCodeVerifier::new(question.verifier.expose().clone());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .set_max_age(MAX_AGE.unsigned_abs());
        for acr in &self.settings.acr {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr.clone()));
        }
        if question.ask_again {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        let (url, ..) = request.url();
        Ok(Secret::new(url.into()))
    }

    /// Whether an answer may be the provider's by what it calls itself (RFC 9207, 2.4): a provider that promises to say who it is
    /// must.
    pub async fn answers_as(&self, iss: &str) -> bool {
        if !iss.is_empty() {
            return iss == self.issuer();
        }
        match self.usable().await {
            Ok(discovered) => !discovered.extra().authorization_response_iss_parameter_supported,
            // Then its token endpoint is not known either.
            Err(Unreachable) => true,
        }
    }

    /// The person whom a code stands for, by the ID token that it is exchanged for.
    ///
    /// # Errors
    /// [`Distrust`].
    pub async fn redeem(
        &self,
        code: Secret<String>,
        question: &Question,
        redirect_uri: &str,
        now: OffsetDateTime,
    ) -> Result<Person, Distrust> {
        let unreachable = |Unreachable| Distrust::Unreachable;
        let discovered = self.usable().await.map_err(unreachable)?;
        let exchange = client::Exchange {
            discovered: discovered.clone(),
            settings: self.settings.clone(),
            code,
            verifier: question.verifier.clone(),
            redirect_uri: redirect_uri.to_owned(),
            now,
        };
        let token = exchange.run(&self.http).await?;
        let signed_before = Instant::now();
        let check = id_token::Check {
            settings: &self.settings,
            question,
            now,
        };
        match check.verify(&token, &discovered) {
            // It may have new keys.
            Err(id_token::Flaw::Key) => {
                let newer = self
                    .discovery
                    .newer_than(signed_before)
                    .await
                    .map_err(unreachable)?;
                check.verify(&token, &newer).map_err(id_token::Flaw::distrust)
            }
            verified => verified.map_err(id_token::Flaw::distrust),
        }
    }

    /// Where the browser goes after a sign-out at a host, so that it ends at the provider as well (OpenID Connect RP-Initiated Logout
    /// 1.0, 2); `None` if the provider has no such place. No token goes along: none is kept.
    pub async fn end_session_url(&self, host: &str) -> Option<String> {
        let discovered = timeout(self.settings.patience, self.usable()).await.ok()?.ok()?;
        let mut url = discovered.extra().end_session_endpoint.clone()?;
        let signed_out = self.host(host)?.signed_out.as_str();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", signed_out);
        Some(url.into())
    }

    async fn usable(&self) -> Result<Arc<Discovered>, Unreachable> {
        self.discovery.within(self.settings.freshness.usable).await
    }

    fn host(&self, authority: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.authority == authority)
    }
}

impl Host {
    fn of(origin: &Url) -> Self {
        let mut redirect_uri = origin.clone();
        redirect_uri.set_path("/ncr/callback");
        let mut signed_out = origin.clone();
        signed_out.set_path("/signed-out");
        Self {
            authority: origin.authority().to_owned(),
            redirect_uri: RedirectUrl::from_url(redirect_uri),
            signed_out,
        }
    }
}
