//! The system that people signed in to before. Its hashes cannot be had, so it is asked itself, once for each of them.

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use sekisho_service::settings::Secret;
use serde::Deserialize;
use tokio::task::spawn_blocking;
use ureq::Agent;

use crate::domain::LoginId;

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 64 * 1_024;

/// The former system.
pub trait FormerSystem: Send + Sync + fmt::Debug + 'static {
    /// Whether a password opens the account of a login id there.
    ///
    /// # Errors
    /// [`Unanswered`]; then nothing is known about the password.
    fn accepts(&self, login: &LoginId, password: Secret<String>) -> BoxFuture<'_, Result<bool, Unanswered>>;
}

/// The former system said neither yes nor no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the former system did not say whether the password is right")]
pub struct Unanswered;

/// An OAuth 2.0 token endpoint that takes passwords (RFC 6749, 4.3), such as that of a resource owner password flow of Azure AD
/// B2C.
#[derive(Clone)]
pub struct TokenEndpoint {
    agent: Agent,
    url: http::Uri,
    client_id: String,
    scope: String,
}

/// What it answers (RFC 6749, 5.1 and 5.2).
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    id_token: String,
    #[serde(default)]
    error: String,
}

impl TokenEndpoint {
    /// An endpoint that is given so long to answer.
    pub fn new(url: http::Uri, client_id: String, scope: String, patience: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            // A redirect would take the password elsewhere.
            .max_redirects(0)
            .build();
        Self {
            agent: config.into(),
            url,
            client_id,
            scope,
        }
    }

    fn ask(&self, login: &str, password: &Secret<String>) -> Result<bool, Unanswered> {
        let form = [
            ("grant_type", "password"),
            ("client_id", &self.client_id),
            ("scope", &self.scope),
            ("response_type", "token id_token"),
            ("username", login),
            ("password", password.expose()),
        ];
        let answer = self.agent.post(&self.url).send_form(form);
        let mut answer = answer.map_err(|error| {
            // Of the connection alone: neither form nor answer stand in it.
            tracing::warn!(%error, "the former system did not answer");
            Unanswered
        })?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec();
        let said = body.ok().and_then(|body| serde_json::from_slice(&body).ok());
        verdict(status, said)
    }
}

/// Only a token is a yes, and only the refusal of these credentials is a no: a client that is not known there, a flow that is not
/// allowed or an answer of something in between says nothing about the password.
fn verdict(status: u16, said: Option<Answer>) -> Result<bool, Unanswered> {
    let said = said.unwrap_or(Answer {
        access_token: String::new(),
        id_token: String::new(),
        error: String::new(),
    });
    match (status, said.error.as_str()) {
        (200, "") if !said.access_token.is_empty() || !said.id_token.is_empty() => Ok(true),
        // `access_denied` is what Azure AD B2C says of a wrong password (AADB2C90225).
        (400 | 401 | 403, "invalid_grant" | "access_denied") => Ok(false),
        (status, error) => {
            tracing::warn!(status, error, "the former system said neither yes nor no");
            Err(Unanswered)
        }
    }
}

impl FormerSystem for TokenEndpoint {
    fn accepts(&self, login: &LoginId, password: Secret<String>) -> BoxFuture<'_, Result<bool, Unanswered>> {
        let (endpoint, login) = (self.clone(), login.as_str().to_owned());
        Box::pin(async move {
            let asked = spawn_blocking(move || endpoint.ask(&login, &password));
            asked.await.unwrap_or(Err(Unanswered))
        })
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &str) -> Option<Answer> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn only_a_token_is_a_yes_and_only_refused_credentials_are_a_no() {
        assert_eq!(verdict(200, answer(r#"{"access_token":"x"}"#)), Ok(true));
        assert_eq!(verdict(200, answer(r#"{"id_token":"x"}"#)), Ok(true));
        for error in ["invalid_grant", "access_denied"] {
            let said = format!(r#"{{"error":"{error}","error_description":"AADB2C90225"}}"#);
            assert_eq!(verdict(400, answer(&said)), Ok(false), "{error}");
        }
        for (status, json) in [
            (200, "{}"),
            (200, "<html>"),
            (200, r#"{"access_token":"","error":""}"#),
            (200, r#"{"access_token":"x","error":"server_error"}"#),
            (302, r#"{"access_token":"x"}"#),
            (400, r#"{"error":"invalid_client"}"#),
            (400, "{}"),
            (429, r#"{"error":"invalid_grant"}"#),
            (503, r#"{"error":"invalid_grant"}"#),
        ] {
            assert_eq!(verdict(status, answer(json)), Err(Unanswered), "{status} {json}");
        }
    }
}
