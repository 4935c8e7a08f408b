//! Sealed bytes: XChaCha20-Poly1305 with the nonce in front.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use crate::entropy;

/// Long enough to be drawn at random for every seal for ever.
const NONCE: usize = 24;

/// Bytes that do not open: another key, another place, or damage. Nothing tells which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seal does not open")]
pub struct SealError;

/// Hides bytes and binds them to a place, which must be named to open them.
///
/// # Errors
/// [`SealError`], for more than 256 GiB.
pub fn seal(key: &[u8; 32], place: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE] = entropy::bytes();
    let payload = Payload {
        msg: plain,
        aad: place,
    };
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| SealError)?;
    Ok([&nonce[..], &sealed].concat())
}

/// Opens what was sealed to the same place.
///
/// # Errors
/// [`SealError`].
pub fn open(key: &[u8; 32], place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(SealError)?;
    let payload = Payload {
        msg: sealed,
        aad: place,
    };
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| SealError)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [1; 32];

    #[test]
    fn what_was_sealed_opens_with_its_key_at_its_place_only() {
        let sealed = seal(&KEY, b"here", b"text").unwrap();
        assert_eq!(open(&KEY, b"here", &sealed).as_deref(), Ok(b"text".as_slice()));
        assert_eq!(open(&KEY, b"there", &sealed), Err(SealError));
        assert_eq!(open(&[2; 32], b"here", &sealed), Err(SealError));
    }

    #[test]
    fn whatever_byte_is_changed_or_missing_nothing_opens() {
        let sealed = seal(&KEY, b"here", b"text").unwrap();
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(open(&KEY, b"here", &damaged), Err(SealError));
            assert_eq!(open(&KEY, b"here", &sealed[..at]), Err(SealError));
        }
    }

    #[test]
    fn equal_texts_are_sealed_differently() {
        assert_ne!(seal(&KEY, b"", b"text"), seal(&KEY, b"", b"text"));
    }
}
