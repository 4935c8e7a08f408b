//! What a password hash is worth nothing without: a key outside the database.
//!
//! The hash is sealed, not made with the key: so the key can be changed without the password, ready-made hashes of other
//! algorithms have it too, and a row that is copied to another account opens nothing
//! (docs/decisions/0012-the-pepper-seals.md).

use std::fmt;

use sekisho_eventlog::StreamId;
use sekisho_service::aead::{self, SealError};
use sekisho_service::mac;
use sekisho_service::settings::{KeyRing, Secret};

use super::Phc;

const SEAL: &str = "sekisho/pepper/1";
/// The form of a password that stands elsewhere; no hash has it.
const WITH_FORMER: &str = "former-system";
const FINGERPRINT: &str = "sekisho/wrong-password/1";

/// The keys of the pepper file.
#[derive(Debug, Clone)]
pub struct Pepper(KeyRing);

/// A password hash as it is stored. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedHash {
    /// Algorithm, parameters and salt in PHC form.
    pub form: String,
    /// The line of the pepper file.
    pub pepper_id: String,
    /// The sealed hash.
    pub sealed: Vec<u8>,
}

/// Why a stored hash is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PepperError {
    /// No line of the pepper file has this id.
    #[error("the pepper of a password is not in the file")]
    Missing,
    /// Another account's, another pepper's, or damaged.
    #[error("a password hash does not open")]
    Damaged,
}

impl Pepper {
    /// Seals with the current key of a ring and opens with all.
    pub fn new(keys: KeyRing) -> Self {
        Self(keys)
    }

    /// The line that new hashes are sealed under.
    pub fn current_id(&self) -> &str {
        self.0.current().0
    }

    /// Seals a hash to its account, under the current key.
    ///
    /// # Errors
    /// [`SealError`], which no hash meets.
    pub fn seal(&self, account: StreamId, phc: &Phc) -> Result<SealedHash, SealError> {
        let (id, key) = self.0.current();
        let form = phc.form().to_owned();
        Ok(SealedHash {
            sealed: aead::seal(derived(key, SEAL).expose(), &place(account, &form), phc.output())?,
            pepper_id: id.to_owned(),
            form,
        })
    }

    /// Opens the hash of an account.
    ///
    /// # Errors
    /// [`PepperError`].
    pub fn open(&self, account: StreamId, stored: &SealedHash) -> Result<Phc, PepperError> {
        let key = self.0.get(&stored.pepper_id).ok_or(PepperError::Missing)?;
        let place = place(account, &stored.form);
        let output = aead::open(derived(key, SEAL).expose(), &place, &stored.sealed)
            .map(Secret::new)
            .map_err(|_| PepperError::Damaged)?;
        Phc::join(&stored.form, output.expose()).map_err(|_| PepperError::Damaged)
    }

    /// By which the same wrong password is known again. 32 bits: one in four thousand million others is taken for it, and
    /// whoever steals pepper and tables does not learn which it was.
    pub fn fingerprint(&self, stream: StreamId, password: &str) -> i32 {
        let (_, key) = self.0.current();
        let [a, b, c, d, ..] = mac::derive(key, FINGERPRINT, &[stream.0.as_bytes(), password.as_bytes()]);
        i32::from_be_bytes([a, b, c, d])
    }
}

impl SealedHash {
    /// In place of a hash, while the password stands with the former system.
    pub fn with_former() -> Self {
        Self {
            form: WITH_FORMER.to_owned(),
            pepper_id: String::new(),
            sealed: Vec::new(),
        }
    }

    /// Whether nothing can be compared with it here.
    pub fn is_with_former(&self) -> bool {
        self.form == WITH_FORMER
    }
}

impl fmt::Debug for SealedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn derived(key: &[u8; 32], label: &str) -> Secret<[u8; 32]> {
    Secret::new(mac::derive(key, label, &[]))
}

fn place(account: StreamId, form: &str) -> Vec<u8> {
    [account.0.as_bytes(), form.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use uuid::Uuid;

    use super::*;

    fn pepper(lines: &[(&str, &str)]) -> Pepper {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for (id, byte) in lines {
            writeln!(file, "{id} {}", byte.repeat(32)).unwrap();
        }
        Pepper::new(KeyRing::read(file.path()).unwrap())
    }

    fn account(number: u128) -> StreamId {
        StreamId(Uuid::from_u128(number))
    }

    fn hash() -> Phc {
        let output = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let text = format!("$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby9kZWNveS8x${output}");
        Phc::try_from(text.as_str()).unwrap()
    }

    #[test]
    fn a_hash_opens_for_its_account_and_its_pepper_only() {
        let pepper = pepper(&[("1", "01")]);
        let stored = pepper.seal(account(1), &hash()).unwrap();
        assert_eq!(stored.form, "$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby9kZWNveS8x");
        assert_eq!(pepper.open(account(1), &stored), Ok(hash()));
        assert_eq!(pepper.open(account(2), &stored), Err(PepperError::Damaged));
        let other = super::tests::pepper(&[("1", "02")]);
        assert_eq!(other.open(account(1), &stored), Err(PepperError::Damaged));
        let weaker = SealedHash {
            form: stored.form.replace("t=2", "t=1"),
            ..stored.clone()
        };
        assert_eq!(pepper.open(account(1), &weaker), Err(PepperError::Damaged));
        assert!(!format!("{stored:?}").contains("argon2id"));
    }

    #[test]
    fn an_older_pepper_opens_what_it_sealed_until_it_is_taken_away() {
        let stored = pepper(&[("1", "01")]).seal(account(1), &hash()).unwrap();
        let rotated = pepper(&[("2", "02"), ("1", "01")]);
        assert_eq!(rotated.open(account(1), &stored), Ok(hash()));
        assert_eq!(rotated.seal(account(1), &hash()).unwrap().pepper_id, "2");
        let taken_away = pepper(&[("2", "02")]);
        assert_eq!(taken_away.open(account(1), &stored), Err(PepperError::Missing));
    }

    #[test]
    fn a_fingerprint_is_of_one_password_account_and_pepper() {
        let one = pepper(&[("1", "01")]);
        let print = one.fingerprint(account(1), "canary");
        assert_eq!(print, one.fingerprint(account(1), "canary"));
        assert_ne!(print, one.fingerprint(account(1), "canary2"));
        assert_ne!(print, one.fingerprint(account(2), "canary"));
        assert_ne!(print, pepper(&[("1", "02")]).fingerprint(account(1), "canary"));
    }
}
