//! Passwords that are distributed to their owners.

use anyhow::{Context, anyhow};
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use sekisho_service::entropy;

/// Letters and digits that are not mistaken for each other on paper.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
/// Of a distributed password: 80 bits.
const LENGTH: usize = 16;

/// A random password: each letter has 5 bits.
pub(super) fn password() -> String {
    let random = entropy::bytes::<LENGTH>();
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    random.into_iter().map(letter).collect()
}

/// As credentials would hash it: the server never sees the password.
pub(super) fn hash(password: &str) -> anyhow::Result<String> {
    let parameters = Params::new(19_456, 2, 1, None).map_err(|_| anyhow!("argon2 refuses its parameters"))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let hash = hasher.hash_password(password.as_bytes());
    Ok(hash
        .map_err(|error| anyhow!("{error}"))
        .context("the password was not hashed")?
        .to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_distributed_password_is_random_and_easy_to_type() {
        assert_eq!(LETTERS.iter().collect::<BTreeSet<_>>().len(), 32);
        for confused in *b"0O1lIio" {
            assert!(!LETTERS.contains(&confused), "{}", char::from(confused));
        }
        let made: BTreeSet<String> = (0..100).map(|_| password()).collect();
        assert_eq!(made.len(), 100);
        assert!(made.iter().all(|password| password.len() == 16));
    }

    #[test]
    fn a_hash_is_as_strong_as_that_of_credentials() {
        assert!(hash("a").unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}
