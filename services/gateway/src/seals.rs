//! Seals cookies and derives the keys of forms, under the keys of the key file.
//!
//! What is sealed names its key, so the current key can be replaced without signing anybody out as long as the older
//! one stays in the file.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sekisho_service::settings::KeyRing;
use sekisho_service::{aead, mac};

const COOKIES: &str = "sekisho/cookie/1";
const FORMS: &str = "sekisho/form/1";

/// The gateway's keys. `Debug` shows none of them. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Seals(Arc<KeyRing>);

impl Seals {
    /// Seals with the current key of the ring and opens with all.
    pub fn new(ring: KeyRing) -> Self {
        Self(Arc::new(ring))
    }

    /// Hides a text and binds it to a name.
    pub fn seal(&self, name: &str, plain: &str) -> String {
        let (id, key) = self.0.current();
        let sealed = aead::seal(&derive(key, COOKIES), name.as_bytes(), plain.as_bytes());
        // Only a text of 256 GiB cannot be sealed; an empty one opens as nothing.
        label(id, &sealed.unwrap_or_default())
    }

    /// The text that was sealed under this name; `None` for anything else.
    pub fn open(&self, name: &str, sealed: &str) -> Option<String> {
        let (id, sealed) = read_label(sealed)?;
        let key = derive(self.0.get(&id)?, COOKIES);
        let plain = aead::open(&key, name.as_bytes(), &sealed).ok()?;
        String::from_utf8(plain).ok()
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

fn derive(key: &[u8; 32], label: &str) -> [u8; 32] {
    mac::derive(key, label, &[])
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
