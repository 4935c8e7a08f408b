//! Seals cookies and derives the keys of forms, under the keys of the key file.
//!
//! What is sealed names its key, so the current key can be replaced without signing anybody out as long as the older
//! one stays in the file.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use sekisho_service::settings::KeyRing;

use sekisho_service::entropy;

/// HMAC-SHA-256.
pub type Code = Hmac<Sha256>;

/// Long enough to be drawn at random for every cookie for ever.
const NONCE: usize = 24;
const COOKIES: &[u8] = b"sekisho/cookie/1";
const FORMS: &[u8] = b"sekisho/form/1";

/// The gateway's keys. `Debug` shows none of them.
#[derive(Clone, Debug)]
pub struct Seals(KeyRing);

impl Seals {
    /// Seals with the current key of the ring and opens with all.
    pub fn new(ring: KeyRing) -> Self {
        Self(ring)
    }

    /// Hides a text and binds it to a name (XChaCha20-Poly1305, the name as associated data).
    pub fn seal(&self, name: &str, plain: &str) -> String {
        let (id, key) = self.0.current();
        let nonce = entropy::bytes::<NONCE>();
        let payload = Payload {
            msg: plain.as_bytes(),
            aad: name.as_bytes(),
        };
        let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload);
        // Only a text of 256 GiB cannot be sealed; an empty one opens as nothing.
        let body = sealed
            .map(|sealed| [nonce.as_slice(), &sealed].concat())
            .unwrap_or_default();
        label(id, &body)
    }

    /// The text that was sealed under this name; `None` for anything else.
    pub fn open(&self, name: &str, sealed: &str) -> Option<String> {
        let (id, body) = read_label(sealed)?;
        let (nonce, sealed) = body.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: name.as_bytes(),
        };
        let plain = cipher(self.0.get(&id)?).decrypt(&XNonce::from(*nonce), payload);
        String::from_utf8(plain.ok()?).ok()
    }

    /// The id and the key of new forms.
    pub fn form_key(&self) -> (&str, [u8; 32]) {
        let (id, key) = self.0.current();
        (id, derive(key, FORMS))
    }

    /// The key of forms that were made under this id.
    pub fn form_key_of(&self, id: &str) -> Option<[u8; 32]> {
        self.0.get(id).map(|key| derive(key, FORMS))
    }
}

/// An HMAC under a key of 32 bytes; RFC 2104 pads the key with zeros to the block length.
pub fn code(key: &[u8; 32]) -> Code {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    <Code as hmac::KeyInit>::new(&block.into())
}

/// Bytes as text that cookies and forms may hold, with the id of the key that made them.
pub fn label(id: &str, body: &[u8]) -> String {
    format!(
        "{}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(id),
        BASE64_URL_SAFE_NO_PAD.encode(body)
    )
}

/// What [`label`] wrote.
pub fn read_label(text: &str) -> Option<(String, Vec<u8>)> {
    let (id, body) = text.split_once('.')?;
    let id = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    Some((id, BASE64_URL_SAFE_NO_PAD.decode(body).ok()?))
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&derive(key, COOKIES).into())
}

fn derive(key: &[u8; 32], label: &[u8]) -> [u8; 32] {
    code(key).chain_update(label).finalize().into_bytes().into()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    /// Seals under keys that are a digit repeated, newest first.
    pub fn seals(keys: &[char]) -> Seals {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for key in keys {
            writeln!(file, "key-{key} {}", key.to_string().repeat(64)).unwrap();
        }
        Seals::new(KeyRing::read(file.path()).unwrap())
    }

    #[test]
    fn what_was_sealed_opens_under_its_name_only() {
        let sealed = seals(&['1']).seal("a", "text");
        assert_eq!(seals(&['1']).open("a", &sealed).as_deref(), Some("text"));
        assert_eq!(seals(&['1']).open("b", &sealed), None);
    }

    #[test]
    fn what_another_gateway_sealed_or_somebody_changed_does_not_open() {
        let sealed = seals(&['2']).seal("a", "text");
        assert_eq!(seals(&['1']).open("a", &sealed), None);
        let (id, mut body) = read_label(&seals(&['1']).seal("a", "text")).unwrap();
        *body.last_mut().unwrap() ^= 1;
        assert_eq!(seals(&['1']).open("a", &label(&id, &body)), None);
        for planted in ["", ".", "text", "a2V5LTE.", "a2V5LTE.AAAA"] {
            assert_eq!(seals(&['1']).open("a", planted), None, "{planted}");
        }
    }

    #[test]
    fn an_older_key_still_opens_what_it_sealed() {
        let sealed = seals(&['1']).seal("a", "text");
        assert_eq!(seals(&['2', '1']).open("a", &sealed).as_deref(), Some("text"));
        assert_eq!(seals(&['2']).open("a", &sealed), None);
    }

    #[test]
    fn sealing_twice_gives_two_texts() {
        assert_ne!(seals(&['1']).seal("a", "text"), seals(&['1']).seal("a", "text"));
    }
}
