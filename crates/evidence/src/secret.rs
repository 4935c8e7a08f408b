//! Digests of a flow's secret and of a form.

use sha2::{Digest, Sha256};

/// What the log keeps of a flow's secret: SHA-256. The secret is 32 random bytes, so the digest gives nothing away.
pub fn secret_digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// SHA-256(command id ‖ input), length-prefixed. `None` without a command id: then a repeat is a new command.
///
/// The command id is random and stands in no event, so the digest does not give a short input away.
pub fn command_digest(command_id: &[u8], input: &[&[u8]]) -> Option<[u8; 32]> {
    if command_id.is_empty() {
        return None;
    }
    let mut digest = Sha256::new();
    for part in std::iter::once(&command_id).chain(input) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    Some(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_input_is_another_command() {
        let first = command_digest(b"form", &[b"123456"]);
        assert_eq!(first, command_digest(b"form", &[b"123456"]));
        assert_ne!(first, command_digest(b"form", &[b"123457"]));
        assert_ne!(
            command_digest(b"form", &[b"12", b"3"]),
            command_digest(b"form", &[b"1", b"23"])
        );
        assert_eq!(command_digest(b"", &[b"123456"]), None);
    }
}
