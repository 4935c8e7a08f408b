//! The keys that seal cookies and mark forms, derived from the key file.

use axum_extra::extract::cookie::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA-256.
pub type Code = Hmac<Sha256>;

/// Keys by age: the first one seals, all of them open. So a key can be replaced without signing anybody out.
#[derive(Clone)]
pub struct Seals {
    current: Seal,
    older: Vec<Seal>,
}

/// What one line of the key file gives.
#[derive(Clone)]
struct Seal {
    cookies: Key,
    forms: [u8; 32],
}

impl Seals {
    /// Keys of 32 bytes each: the current one, then those that may still open what they once sealed.
    pub fn new(current: &[u8; 32], older: &[[u8; 32]]) -> Self {
        Self { current: Seal::new(current), older: older.iter().map(Seal::new).collect() }
    }

    /// The key that seals new cookies.
    pub fn sealing(&self) -> Key {
        self.current.cookies.clone()
    }

    /// The keys that open cookies, newest first.
    pub fn opening(&self) -> impl Iterator<Item = Key> {
        self.all().map(|seal| seal.cookies.clone())
    }

    /// The key that marks new forms.
    pub fn marking(&self) -> &[u8; 32] {
        &self.current.forms
    }

    /// The keys that recognise marked forms, newest first.
    pub fn recognising(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.all().map(|seal| &seal.forms)
    }

    fn all(&self) -> impl Iterator<Item = &Seal> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl Seal {
    fn new(key: &[u8; 32]) -> Self {
        let mut material = [0; 64];
        material[..32].copy_from_slice(&derive(key, b"sekisho/cookie/1/signing"));
        material[32..].copy_from_slice(&derive(key, b"sekisho/cookie/1/sealing"));
        Self { cookies: Key::from(&material), forms: derive(key, b"sekisho/form/1") }
    }
}

/// An HMAC under a key of 32 bytes; RFC 2104 pads the key with zeros to the block length.
pub fn code(key: &[u8; 32]) -> Code {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Code::new(&block.into())
}

fn derive(key: &[u8; 32], label: &[u8]) -> [u8; 32] {
    code(key).chain_update(label).finalize().into_bytes().into()
}
