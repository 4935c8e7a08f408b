//! What ties a question to the provider to the flow that it is asked in: all of it is derived, so nobody keeps anything of it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sekisho_eventlog::FlowId;
use sekisho_service::settings::Secret;
use subtle::ConstantTimeEq as _;
use time::{Duration, OffsetDateTime};

use super::Phantoms;

/// How long somebody may take at the provider.
const LIFE: Duration = Duration::minutes(30);
/// Bytes of a state before its digest: the moment, and whether the provider must ask.
const OPEN: usize = 9;

/// State, nonce and verifier of one authorization request (OpenID Connect Core 1.0, 3.1.2.1; RFC 7636, 4.1).
#[derive(Debug)]
pub struct Question {
    /// When it was asked.
    pub asked_at: OffsetDateTime,
    /// The provider must ask who it is, whatever it remembers.
    pub ask_again: bool,
    /// Comes back in the address.
    pub state: Secret<String>,
    /// Comes back in the ID token.
    pub nonce: Secret<String>,
    /// Goes to the token endpoint, and its SHA-256 to the authorization endpoint.
    pub verifier: Secret<String>,
}

/// The flow that a question is asked in: whoever holds its secret, at that host.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The flow.
    pub flow: FlowId,
    /// SHA-256 of its secret.
    pub secret_digest: [u8; 32],
    /// Where the answer comes to.
    pub redirect_uri: &'a str,
}

impl Phantoms {
    /// What is asked now.
    pub fn ask(&self, asker: Asker<'_>, ask_again: bool, asked_at: OffsetDateTime) -> Question {
        let mut open = [u8::from(ask_again); OPEN];
        open[..OPEN - 1].copy_from_slice(&asked_at.unix_timestamp().to_be_bytes());
        let derive = |label| {
            let parts: [&[u8]; 4] = [
                asker.flow.0.as_bytes(),
                &asker.secret_digest,
                asker.redirect_uri.as_bytes(),
                &open,
            ];
            self.derive(label, &parts)
        };
        let text = |bytes: &[u8]| Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        Question {
            asked_at,
            ask_again,
            state: text(&[open.as_slice(), &derive("sekisho/ncr-state/1")].concat()),
            nonce: text(&derive("sekisho/ncr-nonce/1")),
            verifier: text(&derive("sekisho/ncr-verifier/1")),
        }
    }

    /// What was asked, if this is its state and it is not longer ago than it lives.
    pub fn asked(&self, asker: Asker<'_>, state: &str, now: OffsetDateTime) -> Option<Question> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(state).ok()?;
        let (open, _) = bytes.split_first_chunk::<OPEN>()?;
        let [moment @ .., ask_again] = *open;
        let asked_at = OffsetDateTime::from_unix_timestamp(i64::from_be_bytes(moment)).ok()?;
        let question = self.ask(asker, ask_again != 0, asked_at);
        // Before anything is reckoned with a moment that somebody else may have written.
        let is_its_own = question.state.expose().as_bytes().ct_eq(state.as_bytes());
        if !bool::from(is_its_own) {
            return None;
        }
        let is_recent = (-Duration::MINUTE..LIFE).contains(&(now - asked_at));
        is_recent.then_some(question)
    }
}

#[cfg(test)]
mod tests {
    use sekisho_eventlog::Position;

    use super::super::tests::phantoms;
    use super::*;

    const HERE: &str = "https://portal.example.jp/ncr/callback";

    fn asker(flow: FlowId, redirect_uri: &str) -> Asker<'_> {
        Asker {
            flow,
            secret_digest: [7; 32],
            redirect_uri,
        }
    }

    #[test]
    fn an_answer_is_taken_in_its_flow_at_its_host_for_half_an_hour() {
        let (phantoms, flow) = (phantoms(), FlowId::mint(Position(1)));
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let question = phantoms.ask(asker(flow, HERE), false, now);
        let state = question.state.expose().clone();
        let taken =
            |asker: Asker<'_>, state: &str, after| phantoms.asked(asker, state, now + after).is_some();

        assert!(taken(asker(flow, HERE), &state, Duration::ZERO));
        assert!(taken(
            asker(flow, HERE),
            &state,
            Duration::minutes(30) - Duration::SECOND
        ));
        assert!(!taken(asker(flow, HERE), &state, Duration::minutes(30)));
        assert!(
            !taken(asker(flow, HERE), &state, -Duration::minutes(2)),
            "of tomorrow"
        );

        assert!(!taken(
            asker(FlowId::mint(Position(1)), HERE),
            &state,
            Duration::ZERO
        ));
        let elsewhere = asker(flow, "https://portal2.example.jp/ncr/callback");
        assert!(!taken(elsewhere, &state, Duration::ZERO));
        let another = Asker {
            secret_digest: [8; 32],
            ..asker(flow, HERE)
        };
        assert!(!taken(another, &state, Duration::ZERO));
        for wrong in ["", "AAAA", &state[1..], &format!("{state}A")] {
            assert!(!taken(asker(flow, HERE), wrong, Duration::ZERO), "{wrong:?}");
        }
        // The first and the last moment that there is.
        for seconds in [i64::MIN, -377_705_116_800, 253_402_300_799, i64::MAX] {
            let forged = BASE64_URL_SAFE_NO_PAD.encode([&seconds.to_be_bytes()[..], &[0; 33]].concat());
            assert!(!taken(asker(flow, HERE), &forged, Duration::ZERO), "{seconds}");
        }
        // Another moment before the same digest, or another wish.
        for byte in [OPEN - 2, OPEN - 1] {
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&state).unwrap();
            bytes[byte] ^= 1;
            let other = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            assert!(!taken(asker(flow, HERE), &other, Duration::ZERO));
        }
    }

    #[test]
    fn what_the_provider_sees_of_a_question_tells_nothing_of_the_rest() {
        let question = phantoms().ask(
            asker(FlowId::mint(Position(1)), HERE),
            true,
            OffsetDateTime::UNIX_EPOCH,
        );
        let (nonce, verifier) = (question.nonce.expose(), question.verifier.expose());
        assert_ne!(nonce, verifier);
        assert!(!question.state.expose().contains(nonce.as_str()));
        assert!(!question.state.expose().contains(verifier.as_str()));
        // RFC 7636, 4.1.
        assert!((43..=128).contains(&verifier.len()));
        assert!(!format!("{question:?}").contains(verifier.as_str()));
    }
}
