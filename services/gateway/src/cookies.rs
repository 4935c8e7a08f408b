//! The browser's memory: ten cookies, each sealed with an authenticated cipher that is bound to the cookie's name.
//!
//! All are `__Host-`, `Secure`, `HttpOnly`, `SameSite=Lax`, `Path=/`, and all but two end with the browser (no
//! `Max-Age`). `Lax`, because the desktop tool opens the portal from outside. What was not sealed here does not
//! exist.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use sekisho_service::enquiry::Enquiry;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Gateway;
use crate::notes::Note;
use crate::seals::Seals;
use crate::secret::Secret;

const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// The longest name and value that browsers keep, in bytes (RFC 6265bis, 5.5).
const LONGEST: usize = 4096;

/// Something that a cookie holds.
pub trait Kept: Serialize + DeserializeOwned {
    /// The cookie's name.
    const NAME: &'static str;
    /// How long a browser keeps it, in seconds; `None` until it is closed.
    const MAX_AGE: Option<u32> = None;
}

/// Before a sign-in: what the tokens of the sign-in form are bound to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Anonymous {
    /// Random, made with the first sign-in page.
    pub secret: Secret,
}

/// During a sign-in: the flow and the secret that opens it, which stands nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// The id that credentials minted. As long in a cookie whatever its bytes: a cookie's length is seen from outside.
    #[serde(with = "base64_text")]
    pub id: Vec<u8>,
    /// Made by the gateway at POST `/signin`; credentials knows its digest.
    pub secret: Secret,
    /// The log position that the next page must see; 0 at first.
    pub seen: u64,
    /// It is at the provider of NCR accounts, and needs no code.
    #[serde(default)]
    pub federated: bool,
}

/// While a password is being reset: the flow, beside which a sign-in may be under way in another tab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reset {
    /// The flow.
    pub flow: Flow,
    /// The login id, which the browser's password manager keeps with the new password.
    pub typed: String,
    /// It began with a right password that opens nothing else, not with a forgotten one.
    pub must_change: bool,
}

/// After a sign-in or a reset that came to its end: whoever goes back to one of its pages is told that, and not that time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Past {
    /// A new password was set.
    PasswordChanged,
    /// キャンセル was pressed on the way to a session.
    SignInCancelled,
    /// キャンセル was pressed on the way to a new password.
    ResetCancelled,
}

/// After a sign-in: the session's token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// From sessions, derived from the flow's secret.
    pub token: Secret,
}

/// Beside the session: who signed in, so that a page need not ask.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person {
    /// SHA-256 of the token of the session that this belongs to.
    pub session: [u8; 32],
    /// The facility's name.
    pub facility: String,
    /// The person's name.
    pub name: String,
    /// The sign-in before this one, in seconds since 1970; `None` at the first.
    pub last_signed_in: Option<i64>,
    /// Where the sign-in has to end as well.
    #[serde(default)]
    pub elsewhere: Elsewhere,
}

/// Where a sign-in has to end besides here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Elsewhere {
    /// Nowhere: it began here.
    #[default]
    Nowhere,
    /// At a provider that has no place for it.
    Unreachable,
    /// At this address.
    At(String),
}

/// Beside the session: the page where its owner was last, which opens again when they sign in after the session has run out. Whoever
/// else signs in at the same terminal begins at the top page.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Last {
    /// That page.
    pub page: Page,
    /// [`Person::digest`] of the owner.
    pub owner: [u8; 32],
}

/// A page of whoever is signed in. There is no other place to go on to after a sign-in, whatever an address or a form says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Page {
    /// `/top`.
    #[default]
    Top,
    /// `/history`.
    History,
}

/// For half a day after anybody signed in or out, or went to the provider: whoever comes with an NCR account next is asked who it is. At a shared terminal the
/// provider may still remember the person before.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AskAgain {}

/// After the first sign-in, for half a year: tells credentials that this browser is no stranger to an account. Opens
/// nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// Random; credentials keeps a digest with the accounts that signed in here.
    pub secret: Secret,
}

/// The cookies of one request, and what its answer changes.
pub struct Cookies {
    seals: Seals,
    brought: Vec<(String, String)>,
    changes: Vec<Change>,
}

/// A cookie that the answer sets.
struct Change {
    name: &'static str,
    set_cookie: String,
}

impl Kept for Anonymous {
    const NAME: &'static str = "__Host-gtol_csrf";
}

impl Kept for Flow {
    const NAME: &'static str = "__Host-gtol_tx";
}

impl Kept for Reset {
    const NAME: &'static str = "__Host-gtol_reset";
}

impl Kept for Past {
    const NAME: &'static str = "__Host-gtol_past";
}

impl Kept for Session {
    const NAME: &'static str = "__Host-gtol_sid";
}

impl Kept for Person {
    const NAME: &'static str = "__Host-gtol_who";
}

impl Kept for Last {
    const NAME: &'static str = "__Host-gtol_last";
}

impl Kept for Device {
    const NAME: &'static str = "__Host-gtol_dev";
    const MAX_AGE: Option<u32> = Some(180 * 24 * 60 * 60);
}

impl Kept for AskAgain {
    const NAME: &'static str = "__Host-gtol_ncr";
    const MAX_AGE: Option<u32> = Some(12 * 60 * 60);
}

impl Kept for Note {
    const NAME: &'static str = "__Host-gtol_note";
}

impl Person {
    /// Tells people apart, whatever the session.
    pub fn digest(&self) -> [u8; 32] {
        let Self { facility, name, .. } = self;
        Sha256::digest(format!("{facility}\n{name}")).into()
    }
}

impl Page {
    /// Where it is.
    pub fn address(self) -> &'static str {
        match self {
            Self::Top => "/top",
            Self::History => "/history",
        }
    }
}

impl Flow {
    /// That a password or a forgotten one has minted, at its beginning.
    pub fn minted(id: Vec<u8>, secret: Secret) -> Self {
        Self {
            id,
            secret,
            seen: 0,
            federated: false,
        }
    }

    /// By which whoever is in the flow finds what the log says of it.
    pub fn enquiry(&self) -> Enquiry {
        <[u8; 16]>::try_from(self.id.as_slice()).map_or_else(|_| Enquiry::random(), Enquiry::of_flow)
    }
}

impl Cookies {
    /// The cookies of a request.
    pub fn of(gateway: &Gateway, headers: &HeaderMap) -> Self {
        Self {
            seals: gateway.seals.clone(),
            brought: pairs(headers),
            changes: Vec::new(),
        }
    }

    /// What the request brought, as far as the gateway sealed it.
    pub fn read<K: Kept>(&self) -> Option<K> {
        let (_, sealed) = self.brought.iter().find(|(name, _)| name == K::NAME)?;
        serde_json::from_str(&self.seals.open(K::NAME, sealed)?).ok()
    }

    /// Have the browser keep something until it is closed, or for its `MAX_AGE`.
    pub fn keep<K: Kept>(&mut self, kept: &K) {
        // Structs of strings and numbers always become JSON; an empty text reads as no cookie.
        let plain = serde_json::to_string(kept).unwrap_or_default();
        let value = self.seals.seal(K::NAME, &plain);
        if K::NAME.len() + value.len() > LONGEST {
            tracing::error!(cookie = K::NAME, "a cookie is longer than browsers keep");
        }
        let max_age = K::MAX_AGE.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        self.change(K::NAME, format!("{}={value}; {ATTRIBUTES}{max_age}", K::NAME));
    }

    /// Have the browser forget something.
    pub fn forget<K: Kept>(&mut self) {
        self.change(K::NAME, format!("{}=; {ATTRIBUTES}; Max-Age=0", K::NAME));
    }

    /// What is to be sent with the answer; nothing is left to be sent after it.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let changes = std::mem::take(&mut self.changes);
        Self {
            seals: self.seals.clone(),
            brought: Vec::new(),
            changes,
        }
    }

    fn change(&mut self, name: &'static str, set_cookie: String) {
        self.changes.retain(|earlier| earlier.name != name);
        self.changes.push(Change { name, set_cookie });
    }
}

impl FromRequestParts<Arc<Gateway>> for Cookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Infallible> {
        Ok(Self::of(gateway, &parts.headers))
    }
}

impl IntoResponseParts for Cookies {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        // Names, base64 and attributes are ASCII, so every cookie is a header value.
        for value in self
            .changes
            .into_iter()
            .filter_map(|change| HeaderValue::try_from(change.set_cookie).ok())
        {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
        Ok(response)
    }
}

/// Bytes as one text, not as a list of numbers.
mod base64_text {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
        bytes.map_err(|_| D::Error::custom("not base64"))
    }
}

/// Names and values of the request's cookies (RFC 6265, 4.2.1).
fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let values = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = values
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
