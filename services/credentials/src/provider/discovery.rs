//! What the provider says of itself (OpenID Connect Discovery 1.0), with its keys. Asked for once an hour, and used for a day if it does
//! not answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata, TokenUrl};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;

use super::Unreachable;
use super::http::{Http, HttpError, send};

/// After a question that had no answer nobody asks again beside other work for so long.
const PAUSE: Duration = Duration::from_secs(10);

/// How long what a provider says of itself is used.
#[derive(Debug, Clone, Copy)]
pub struct Freshness {
    /// After so long it is asked for anew.
    pub fresh: Duration,
    /// So long it is used all the same.
    pub usable: Duration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            fresh: Duration::from_hours(1),
            usable: Duration::from_hours(24),
        }
    }
}

/// Fields that the library does not know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Extra {
    /// OpenID Connect RP-Initiated Logout 1.0, 2.1.
    pub end_session_endpoint: Option<Url>,
    /// RFC 9207, 3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

/// The provider's metadata.
pub(super) type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What it said at a moment.
#[derive(Debug)]
pub(super) struct Discovered {
    pub metadata: Metadata,
    /// When it was asked.
    at: Instant,
}

/// What it said last, and how to ask again. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Discovery {
    issuer: IssuerUrl,
    http: Http,
    freshness: Freshness,
    known: Arc<Mutex<Known>>,
    /// Whoever asks: all others wait for what comes of it.
    asking: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    last: Option<Arc<Discovered>>,
    /// When it was asked last and did not answer.
    silent_at: Option<Instant>,
}

impl Discovered {
    pub fn extra(&self) -> &Extra {
        self.metadata.additional_metadata()
    }
}

impl Discovery {
    pub fn new(issuer: IssuerUrl, http: Http, freshness: Freshness) -> Self {
        Self {
            issuer,
            http,
            freshness,
            known: Arc::default(),
            asking: Arc::default(),
        }
    }

    /// What it says, or said not too long ago.
    pub async fn any(&self) -> Result<Arc<Discovered>, Unreachable> {
        match self.known().last {
            Some(last) if last.at.elapsed() < self.freshness.fresh => Ok(last),
            Some(last) if last.at.elapsed() < self.freshness.usable => {
                // Nobody waits for it.
                tokio::spawn(self.clone().refresh());
                Ok(last)
            }
            Some(_) | None => self.ask(None).await,
        }
    }

    /// What it says to whoever asks after a moment. Of many who want to know at once, one asks.
    pub async fn newer_than(&self, moment: Instant) -> Result<Arc<Discovered>, Unreachable> {
        self.ask(Some(moment)).await
    }

    async fn ask(&self, newer_than: Option<Instant>) -> Result<Arc<Discovered>, Unreachable> {
        // Whoever loses patience leaves the answer to those who come later.
        let asked = tokio::spawn(self.clone().ask_unless_known(newer_than, Instant::now()));
        asked.await.unwrap_or(Err(Unreachable))
    }

    async fn ask_unless_known(
        self,
        newer_than: Option<Instant>,
        arrived: Instant,
    ) -> Result<Arc<Discovered>, Unreachable> {
        let _asking = self.asking.lock().await;
        let known = self.known();
        let is_enough = |last: &Discovered| match newer_than {
            Some(moment) => last.at > moment,
            None => last.at.elapsed() < self.freshness.usable,
        };
        match known.last.filter(|last| is_enough(last)) {
            Some(last) => Ok(last),
            None if known.silent_at.is_some_and(|at| at > arrived) => Err(Unreachable),
            None => self.discover().await,
        }
    }

    async fn refresh(self) {
        let was_silent = self.known().silent_at.is_some_and(|at| at.elapsed() < PAUSE);
        if let (Ok(_asking), false) = (self.asking.try_lock(), was_silent) {
            // What went wrong is logged.
            let _ = self.discover().await;
        }
    }

    async fn discover(&self) -> Result<Arc<Discovered>, Unreachable> {
        let (issuer, at) = (self.issuer.clone(), Instant::now());
        let asked = self
            .http
            .run(move |agent| Metadata::discover(&issuer, &|request| send(agent, request)));
        let answer = match asked.await {
            Ok(Ok(metadata)) if self.is_safe(&metadata) => Some(Arc::new(Discovered { metadata, at })),
            Ok(Ok(_)) => {
                tracing::error!("the provider names addresses that are not encrypted: they are not used");
                None
            }
            Ok(Err(error)) => {
                tracing::warn!(error = said(&error), "the provider does not say who it is");
                None
            }
            Err(Unreachable) => None,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if answer.is_none() {
            known.silent_at = Some(at);
        }
        known.last = answer.clone().or(known.last.take());
        answer.ok_or(Unreachable)
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Nothing goes over the network in the clear that does not stay on this machine.
    fn is_safe(&self, metadata: &Metadata) -> bool {
        let needed = [
            Some(metadata.authorization_endpoint().url()),
            metadata.token_endpoint().map(TokenUrl::url),
            Some(metadata.jwks_uri().url()),
            metadata.additional_metadata().end_session_endpoint.as_ref(),
        ];
        let may_be_plain = self.issuer.url().scheme() == "http";
        needed
            .into_iter()
            .flatten()
            .all(|url| url.scheme() == "https" || (may_be_plain && is_loopback(url)))
    }
}

/// Whether an address is one of this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// What is said of an error: nothing that the provider wrote.
fn said(error: &DiscoveryError<HttpError>) -> String {
    match error {
        DiscoveryError::Request(error) => error.to_string(),
        DiscoveryError::Response(status, ..) => format!("status {status}"),
        DiscoveryError::Parse(error) => format!("not understood at {}", error.path()),
        DiscoveryError::Validation(_) => "it names another issuer".to_owned(),
        _ => "its addresses cannot be used".to_owned(),
    }
}
