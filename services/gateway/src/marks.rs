//! The hidden marks of forms, against requests that the person did not mean (OWASP: synchroniser token, stateless).
//!
//! A mark is a nonce and two MACs: one says that this gateway made it, the other binds it to one form and to what the
//! browser's cookie holds (before a sign-in a random secret, then the flow's secret, then the session's token). So a
//! mark of another browser, of another session or of another form opens nothing, and a form left open over night can be
//! told from a forged one.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::seals::{Seals, label, read_label};
use crate::secret::Secret;
use sekisho_service::{entropy, mac};

/// Bytes of a nonce and of each MAC.
const PART: usize = 16;

type Part = [u8; PART];

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
    let (id, key) = seals.form_key();
    let nonce = entropy::bytes::<PART>();
    let mark = [nonce, origin(&key, &nonce), binding(&key, &nonce, form, bound_to)];
    label(id, mark.as_flattened())
}

/// Compares a form's mark with what the cookie holds now.
pub fn check(seals: &Seals, form: &str, bound_to: &Secret, mark: &str) -> Verdict {
    let Some((key, [nonce, made, bound])) = read(seals, mark) else {
        return Verdict::Forged;
    };
    if !bool::from(origin(&key, &nonce).ct_eq(&made)) {
        return Verdict::Forged;
    }
    if bool::from(binding(&key, &nonce, form, bound_to).ct_eq(&bound)) {
        Verdict::Good
    } else {
        Verdict::Stale
    }
}

/// A fresh id for a form that must have its effect once, however often it is sent.
pub fn command_id() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(entropy::bytes::<PART>())
}

/// The id of what a form without one leads to: the same form gives the same one.
pub fn command_of_form(bound_to: &Secret, mark: &str) -> Vec<u8> {
    let mut id = bound_to.of_form("sekisho/command/1", &[mark]).expose().to_vec();
    id.truncate(PART);
    id
}

/// The 16 bytes of a command id; `None` if it is not one.
pub fn read_command_id(text: &str) -> Option<Vec<u8>> {
    let id = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    (id.len() == PART).then_some(id)
}

/// The key that a mark names and its three parts.
fn read(seals: &Seals, mark: &str) -> Option<([u8; 32], [Part; 3])> {
    let (id, body) = read_label(mark)?;
    let (parts, rest) = body.as_chunks::<PART>();
    let parts = <[Part; 3]>::try_from(parts).ok().filter(|_| rest.is_empty())?;
    Some((seals.form_key_of(&id)?, parts))
}

fn origin(key: &[u8; 32], nonce: &Part) -> Part {
    tag(key, "origin", &[nonce])
}

fn binding(key: &[u8; 32], nonce: &Part, form: &str, bound_to: &Secret) -> Part {
    tag(key, "binding", &[nonce, bound_to.expose(), form.as_bytes()])
}

fn tag(key: &[u8; 32], label: &str, parts: &[&[u8]]) -> Part {
    let full = mac::derive(key, label, parts);
    let mut short = [0; PART];
    short.copy_from_slice(&full[..PART]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seals::tests::seals as under;

    fn seals() -> Seals {
        under(&['1'])
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
        assert_eq!(
            check(&seals(), "/signin", &Secret::fresh(), &mark),
            Verdict::Stale
        );
        assert_eq!(check(&seals(), "/signout", &secret, &mark), Verdict::Stale);
    }

    #[test]
    fn a_mark_that_no_gateway_made_is_forged() {
        let secret = Secret::fresh();
        let foreign = make(&under(&['2']), "/signin", &secret);
        let guessed = label("key-1", &[7; 3 * PART]);
        for mark in ["", "AAAA", &foreign, &guessed] {
            assert_eq!(check(&seals(), "/signin", &secret, mark), Verdict::Forged);
        }
    }

    #[test]
    fn a_mark_outlives_the_change_of_the_key() {
        let secret = Secret::fresh();
        let mark = make(&seals(), "/signin", &secret);
        assert_eq!(
            check(&under(&['2', '1']), "/signin", &secret, &mark),
            Verdict::Good
        );
    }

    #[test]
    fn two_marks_of_one_form_differ() {
        let secret = Secret::fresh();
        assert_ne!(
            make(&seals(), "/signin", &secret),
            make(&seals(), "/signin", &secret)
        );
    }

    #[test]
    fn a_command_id_survives_the_form() {
        assert_eq!(read_command_id(&command_id()).map(|id| id.len()), Some(PART));
        assert_eq!(read_command_id("short"), None);
    }
}
