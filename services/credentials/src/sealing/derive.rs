//! Keys and tags by HMAC-SHA-256.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC over a label and parts, each with its length in front, so that no two inputs run together.
pub(super) fn derive(key: &[u8; 32], label: &str, parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads a short key with zeros to the block of the hash (RFC 2104, 2).
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in std::iter::once(&label.as_bytes()).chain(parts) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_inputs_run_together() {
        let key = [1; 32];
        assert_ne!(derive(&key, "a", &[b"b", b"c"]), derive(&key, "a", &[b"bc"]));
        assert_ne!(derive(&key, "ab", &[b"c"]), derive(&key, "a", &[b"bc"]));
        assert_ne!(derive(&key, "a", &[]), derive(&[2; 32], "a", &[]));
    }

    #[test]
    fn a_short_key_counts_as_rfc_2104_says() {
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        mac.update(&1_u64.to_be_bytes());
        mac.update(b"a");
        let expected: [u8; 32] = mac.finalize().into_bytes().into();
        assert_eq!(derive(&[7; 32], "a", &[]), expected);
    }
}
