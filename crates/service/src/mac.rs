//! Tags and derived keys: HMAC-SHA-256 under keys of 32 bytes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::settings::Secret;

/// HMAC over a label and parts, each with its length in front, so that no two inputs run together.
pub fn derive(key: &[u8; 32], label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(block(key).expose().into());
    for part in std::iter::once(&label.as_bytes()).chain(parts) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A key as HMAC takes it: extended with zeros to the block of its hash, which is 64 bytes for SHA-1 and SHA-256 (RFC
/// 2104, 2). Done here it cannot fail.
pub fn block(key: &[u8; 32]) -> Secret<[u8; 64]> {
    let mut block = Secret::new([0; 64]);
    block.expose_mut()[..32].copy_from_slice(key);
    block
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
