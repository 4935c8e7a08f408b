//! The hidden marks of forms, against requests that the person did not mean (OWASP: synchroniser token, stateless).
//!
//! A mark is a nonce and two MACs: one says that this gateway made it, the other binds it to one form and to what the
//! browser's cookie holds (before a sign-in a random secret, then the flow's secret, then the session's token). So a
//! mark of another browser, of another session or of another form opens nothing, and a form left open over night can be
//! told from a forged one.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::Mac;
use subtle::ConstantTimeEq;

use crate::entropy;
use crate::seals::{Seals, code};
use crate::secret::Secret;

const PART: usize = 16;

/// What a mark says about a form that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This browser got this form from this gateway.
    Good,
    /// The gateway made the mark, for another form or for what the cookie held earlier.
    Stale,
    /// The gateway did not make the mark.
    Forged,
}

/// The mark for a form, bound to what the cookie holds.
pub fn make(seals: &Seals, form: &str, bound_to: &Secret) -> String {
    let nonce = entropy::bytes::<PART>();
    let mut mark = [0; 3 * PART];
    mark[..PART].copy_from_slice(&nonce);
    mark[PART..2 * PART].copy_from_slice(&origin(seals.marking(), &nonce));
    mark[2 * PART..].copy_from_slice(&binding(seals.marking(), &nonce, form, bound_to));
    BASE64_URL_SAFE_NO_PAD.encode(mark)
}

/// Compares a form's mark with what the cookie holds now.
pub fn check(seals: &Seals, form: &str, bound_to: &Secret, mark: &str) -> Verdict {
    let Some(parts) = decode(mark) else { return Verdict::Forged };
    let nonce = &parts[..PART];
    let made_by = |key: &&[u8; 32]| bool::from(origin(key, nonce).ct_eq(&parts[PART..2 * PART]));
    let Some(key) = seals.recognising().find(made_by) else { return Verdict::Forged };
    if bool::from(binding(key, nonce, form, bound_to).ct_eq(&parts[2 * PART..])) {
        Verdict::Good
    } else {
        Verdict::Stale
    }
}

/// A fresh id for a form that must have its effect once, however often it is sent.
pub fn command_id() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(entropy::bytes::<PART>())
}

/// The 16 bytes of a command id; `None` if it is not one.
pub fn read_command_id(text: &str) -> Option<Vec<u8>> {
    let id = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    (id.len() == PART).then_some(id)
}

fn decode(mark: &str) -> Option<[u8; 3 * PART]> {
    BASE64_URL_SAFE_NO_PAD.decode(mark).ok()?.try_into().ok()
}

fn origin(key: &[u8; 32], nonce: &[u8]) -> [u8; PART] {
    shorten(code(key).chain_update(b"origin").chain_update(nonce))
}

fn binding(key: &[u8; 32], nonce: &[u8], form: &str, bound_to: &Secret) -> [u8; PART] {
    let code = code(key).chain_update(b"binding").chain_update(nonce).chain_update(bound_to.expose());
    shorten(code.chain_update(form))
}

fn shorten(code: crate::seals::Code) -> [u8; PART] {
    let full: [u8; 32] = code.finalize().into_bytes().into();
    let mut short = [0; PART];
    short.copy_from_slice(&full[..PART]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seals() -> Seals {
        Seals::new(&[1; 32], &[])
    }

    #[test]
    fn a_mark_is_good_for_its_form_and_its_cookie() {
        let secret = Secret::fresh();
        let mark = make(&seals(), "/signin", &secret);
        assert_eq!(check(&seals(), "/signin", &secret, &mark), Verdict::Good);
    }

    #[test]
    fn a_mark_of_another_browser_or_form_is_stale() {
        let secret = Secret::fresh();
        let mark = make(&seals(), "/signin", &secret);
        assert_eq!(check(&seals(), "/signin", &Secret::fresh(), &mark), Verdict::Stale);
        assert_eq!(check(&seals(), "/signout", &secret, &mark), Verdict::Stale);
    }

    #[test]
    fn a_mark_that_no_gateway_made_is_forged() {
        let secret = Secret::fresh();
        let foreign = make(&Seals::new(&[2; 32], &[]), "/signin", &secret);
        for mark in ["", "AAAA", foreign.as_str()] {
            assert_eq!(check(&seals(), "/signin", &secret, mark), Verdict::Forged);
        }
    }

    #[test]
    fn a_mark_outlives_the_change_of_the_key() {
        let secret = Secret::fresh();
        let mark = make(&seals(), "/signin", &secret);
        let changed = Seals::new(&[9; 32], &[[1; 32]]);
        assert_eq!(check(&changed, "/signin", &secret, &mark), Verdict::Good);
    }

    #[test]
    fn two_marks_of_one_form_differ() {
        let secret = Secret::fresh();
        assert_ne!(make(&seals(), "/signin", &secret), make(&seals(), "/signin", &secret));
    }

    #[test]
    fn a_command_id_survives_the_form() {
        assert_eq!(read_command_id(&command_id()).map(|id| id.len()), Some(PART));
        assert_eq!(read_command_id("short"), None);
    }
}
