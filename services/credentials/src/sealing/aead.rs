//! XChaCha20-Poly1305 with the nonce in front.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sekisho_service::entropy;

const NONCE: usize = 24;

/// Bytes that do not open: another key, another place, or damage. Nothing tells which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seal does not open")]
pub struct SealError;

/// Seals bytes to a place; a random nonce of 192 bits is never met twice.
pub(super) fn seal(key: &[u8; 32], place: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
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
pub(super) fn open(key: &[u8; 32], place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(SealError)?;
    let payload = Payload {
        msg: sealed,
        aad: place,
    };
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| SealError)
}
