//! Whether an ID token is to be believed (OpenID Connect Core 1.0, 3.1.3.7).

use chrono::{DateTime, Utc};
use openidconnect::core::{CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, Nonce, SignatureVerificationError};
use time::OffsetDateTime;

use super::discovery::Discovered;
use super::{Distrust, ID_TOKEN_AGE, LEEWAY, MAX_AGE, Person, ProviderSettings};
use crate::domain::SubjectIdentifier;
use crate::sealing::Question;

/// What may sign an ID token: with keys that only the provider has. `none` and secrets that both know may not.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 4] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What an ID token is looked at with.
pub(super) struct Check<'a> {
    pub settings: &'a ProviderSettings,
    pub question: &'a Question,
    pub now: OffsetDateTime,
}

/// What is wrong with an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Its key is not among those that we know.
    Key,
    /// It answers another question.
    Nonce,
    /// Anything else.
    Other,
}

impl Flaw {
    pub fn distrust(self) -> Distrust {
        match self {
            Self::Nonce => Distrust::Nonce,
            Self::Key | Self::Other => Distrust::Token,
        }
    }
}

impl Check<'_> {
    /// The person whom an ID token is about.
    pub fn verify(&self, token: &CoreIdToken, discovered: &Discovered) -> Result<Person, Flaw> {
        let nonce = Nonce::new(self.question.nonce.expose().clone());
        let claims = token
            .claims(&self.verifier(discovered), &nonce)
            .map_err(|error| {
                let (flaw, said) = flaw(&error);
                tracing::warn!(said, "an ID token is not believed");
                flaw
            })?;
        self.person(claims).map_err(|said| {
            tracing::warn!(said, "an ID token is not believed");
            Flaw::Other
        })
    }

    fn verifier(&self, discovered: &Discovered) -> CoreIdTokenVerifier<'static> {
        let client_id = ClientId::new(self.settings.client_id.clone());
        let metadata = &discovered.metadata;
        let (issuer, keys) = (metadata.issuer().clone(), metadata.jwks().clone());
        let now = self.now;
        CoreIdTokenVerifier::new_public_client(client_id, issuer, keys)
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || utc(now - LEEWAY))
            .set_issue_time_verifier_fn(move |issued_at| {
                let is_recent = (utc(now - ID_TOKEN_AGE - LEEWAY)..=utc(now + LEEWAY)).contains(&issued_at);
                is_recent
                    .then_some(())
                    .ok_or_else(|| "issued at another time".to_owned())
            })
    }

    /// What the library leaves to us.
    fn person(&self, claims: &CoreIdTokenClaims) -> Result<Person, &'static str> {
        let is_for_another = |party: &ClientId| party.as_str() != self.settings.client_id;
        if claims.authorized_party().is_some_and(is_for_another) {
            return Err("for another party");
        }
        let subject = SubjectIdentifier::try_from(claims.subject().as_str());
        // `max_age` was asked for, so it must be there (OpenID Connect Core 1.0, 2).
        let authenticated_at = claims.auth_time().ok_or("no auth_time")?.timestamp();
        let authenticated_at = OffsetDateTime::from_unix_timestamp(authenticated_at);
        let authenticated_at = authenticated_at.map_err(|_| "no auth_time that can be read")?;
        let since = if self.question.ask_again {
            self.question.asked_at
        } else {
            self.now - MAX_AGE
        };
        if !(since - LEEWAY..=self.now + LEEWAY).contains(&authenticated_at) {
            return Err("signed in there at another time than was asked for");
        }
        Ok(Person {
            subject: subject.map_err(|_| "a subject that nobody has")?,
            has_second_factor: self.has_second_factor(claims),
            authenticated_at,
        })
    }

    fn has_second_factor(&self, claims: &CoreIdTokenClaims) -> bool {
        let mut methods = claims.auth_method_refs().into_iter().flatten();
        let by_method = methods.any(|method| self.settings.amr.iter().any(|amr| **amr == **method));
        let context = claims.auth_context_ref();
        by_method || context.is_some_and(|context| self.settings.acr.iter().any(|acr| **acr == **context))
    }
}

/// Words of ours: the library's repeat what the token says.
fn flaw(error: &ClaimsVerificationError) -> (Flaw, &'static str) {
    use SignatureVerificationError as Signature;
    match error {
        ClaimsVerificationError::SignatureVerification(Signature::NoMatchingKey) => {
            (Flaw::Key, "unknown key")
        }
        ClaimsVerificationError::SignatureVerification(Signature::AmbiguousKeyId(_)) => {
            (Flaw::Key, "one of several keys")
        }
        ClaimsVerificationError::SignatureVerification(
            Signature::CryptoError(_) | Signature::InvalidKey(_),
        ) => (Flaw::Key, "wrong signature"),
        ClaimsVerificationError::SignatureVerification(Signature::DisallowedAlg(_)) => {
            (Flaw::Other, "signed in a way that is not allowed")
        }
        ClaimsVerificationError::SignatureVerification(_) => (Flaw::Other, "not signed"),
        ClaimsVerificationError::InvalidNonce(_) => (Flaw::Nonce, "another nonce"),
        ClaimsVerificationError::InvalidIssuer(_) => (Flaw::Other, "another issuer"),
        ClaimsVerificationError::InvalidAudience(_) => (Flaw::Other, "another audience"),
        ClaimsVerificationError::Expired(_) => (Flaw::Other, "too old, or of the future"),
        _ => (Flaw::Other, "not in order"),
    }
}

fn utc(moment: OffsetDateTime) -> DateTime<Utc> {
    DateTime::from_timestamp(moment.unix_timestamp(), moment.nanosecond()).unwrap_or_default()
}
