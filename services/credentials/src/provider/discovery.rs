//! What the provider says of itself (OpenID Connect Discovery 1.0), with its keys.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata, TokenUrl};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use url::Url;

use super::Unreachable;
use super::http::{Http, HttpError, send};

/// How long what a provider says of itself is used.
#[derive(Debug, Clone, Copy)]
pub struct Freshness {
    /// A browser is led to a provider that has answered within so long: one that is away would show nothing of ours.
    pub leading: Duration,
    /// For all else it is used so long.
    pub usable: Duration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            leading: Duration::from_secs(30),
            usable: Duration::from_hours(1),
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
    known: Arc<Mutex<Known>>,
    /// Whoever asks: all others wait for what comes of it.
    asking: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    last: Option<Arc<Discovered>>,
    /// When a question to it last came to nothing.
    silent_at: Option<Instant>,
}

impl Known {
    /// Whether the newest question came to nothing.
    fn is_silent(&self) -> bool {
        let heard_at = self.last.as_ref().map(|last| last.at);
        self.silent_at
            .is_some_and(|at| heard_at.is_none_or(|heard_at| at > heard_at))
    }

    fn newer_than(&self, moment: Option<Instant>) -> Option<Arc<Discovered>> {
        let last = self.last.as_ref();
        last.filter(|last| moment.is_none_or(|moment| last.at > moment))
            .cloned()
    }
}

impl Discovered {
    pub fn extra(&self) -> &Extra {
        self.metadata.additional_metadata()
    }
}

impl Discovery {
    pub fn new(issuer: IssuerUrl, http: Http) -> Self {
        Self {
            issuer,
            http,
            known: Arc::default(),
            asking: Arc::default(),
        }
    }

    /// What it says, asked for not longer ago than `age`.
    pub async fn within(&self, age: Duration) -> Result<Arc<Discovered>, Unreachable> {
        // A machine that is younger has nothing older.
        self.ask(Instant::now().checked_sub(age)).await
    }

    /// What it says to whoever asks after a moment.
    pub async fn newer_than(&self, moment: Instant) -> Result<Arc<Discovered>, Unreachable> {
        self.ask(Some(moment)).await
    }

    /// Of many who want to know at once, one asks.
    async fn ask(&self, newer_than: Option<Instant>) -> Result<Arc<Discovered>, Unreachable> {
        let known = self.known();
        if let Some(last) = known.newer_than(newer_than) {
            return Ok(last);
        }
        let turn = self.asking.clone().try_lock_owned().ok();
        // One is enough to find out whether a silent provider speaks again: whoever waits for it takes up room.
        if known.is_silent() && turn.is_none() {
            return Err(Unreachable);
        }
        // Whoever loses patience leaves the answer to those who come later.
        let asked = tokio::spawn(self.clone().ask_unless_known(turn, newer_than, Instant::now()));
        asked.await.unwrap_or(Err(Unreachable))
    }

    async fn ask_unless_known(
        self,
        turn: Option<OwnedMutexGuard<()>>,
        newer_than: Option<Instant>,
        arrived: Instant,
    ) -> Result<Arc<Discovered>, Unreachable> {
        let _turn = match turn {
            Some(turn) => turn,
            None => self.asking.clone().lock_owned().await,
        };
        let known = self.known();
        match known.newer_than(newer_than) {
            Some(last) => Ok(last),
            // Whoever asked while this one waited got none.
            None if known.silent_at.is_some_and(|at| at > arrived) => Err(Unreachable),
            None => self.discover().await,
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
            known.silent_at = Some(Instant::now());
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
