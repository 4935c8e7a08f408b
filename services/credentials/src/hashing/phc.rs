//! Password hashes in PHC form.

use std::fmt;
use std::sync::LazyLock;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use sekisho_service::settings::Secret;
use subtle::ConstantTimeEq;

/// Memory of a new hash, in KiB. With the next two the floor of OWASP's password storage guide: m=19456, t=2, p=1.
const MEMORY: u32 = 19_456;
/// Passes of a new hash.
const PASSES: u32 = 2;
/// Lanes of a new hash.
const LANES: u32 = 1;

/// The most that a ready-made hash may ask of us, in KiB: the pool's threads each need as much.
const MOST_MEMORY: u32 = 256 * 1024;
/// The most passes.
const MOST_PASSES: u32 = 10;
/// The most lanes; they are computed one after another here.
const MOST_LANES: u32 = 8;
/// Of salt and hash, in bytes (RFC 9106, 3.1 and 4).
const SHORTEST_SALT: usize = 8;
const SHORTEST_HASH: usize = 16;

/// The hash that unknown login ids are compared with: it costs what a real one costs, and nothing matches it.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby9kZWNveS8x$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An argon2id hash that this service can compute. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Phc {
    text: String,
    params: Params,
    salt: Salt,
    output: Output,
}

/// Why a text is no hash that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhcError {
    /// Not `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    #[error("not an argon2id hash in PHC form")]
    Form,
    /// Salt or hash are too short, or it costs more than 256 MiB, 10 passes or 8 lanes.
    #[error("an argon2id hash with parameters out of bounds")]
    Bounds,
}

impl Phc {
    /// Hashes a password with a salt.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn make(password: &Secret<String>, salt: [u8; 16]) -> Result<Self, argon2::Error> {
        let params = Params::new(MEMORY, PASSES, LANES, Some(Params::DEFAULT_OUTPUT_LEN))?;
        let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
        argon2(&params).hash_password_into(password.expose().as_bytes(), &salt, &mut bytes)?;
        let salt = Salt::new(&salt).map_err(|_| argon2::Error::SaltTooLong)?;
        let output = Output::new(&bytes).map_err(|_| argon2::Error::OutputTooLong)?;
        let text = format!("$argon2id$v=19${params}${salt}${output}");
        Ok(Self {
            text,
            params,
            salt,
            output,
        })
    }

    /// The hash that unknown login ids are compared with.
    pub fn decoy() -> Option<Self> {
        static PARSED: LazyLock<Option<Phc>> = LazyLock::new(|| Phc::try_from(DECOY).ok());
        PARSED.clone()
    }

    /// Everything but the hash: `$argon2id$v=19$m=…,t=…,p=…$salt`.
    pub fn form(&self) -> &str {
        self.text.rsplit_once('$').map_or(&self.text, |(form, _)| form)
    }

    /// The hash itself.
    pub(super) fn output(&self) -> &[u8] {
        self.output.as_ref()
    }

    /// Form and hash together again.
    pub(super) fn join(form: &str, output: &[u8]) -> Result<Self, PhcError> {
        let output = Output::new(output).map_err(|_| PhcError::Bounds)?;
        Self::try_from(format!("{form}${output}").as_str())
    }

    /// Whether a new hash of the same password would cost an attacker more.
    pub fn is_weak(&self) -> bool {
        self.params.m_cost() < MEMORY || self.params.t_cost() < PASSES
    }

    /// Whether the password is the one that was hashed. One computation of argon2id, whatever comes of it.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn matches(&self, password: &[u8]) -> Result<bool, argon2::Error> {
        let mut bytes = [0; Output::MAX_LENGTH];
        let bytes = bytes
            .get_mut(..self.output.len())
            .ok_or(argon2::Error::OutputTooLong)?;
        argon2(&self.params).hash_password_into(password, &self.salt, bytes)?;
        Ok(bytes.ct_eq(self.output.as_ref()).into())
    }
}

impl TryFrom<&str> for Phc {
    type Error = PhcError;

    fn try_from(text: &str) -> Result<Self, PhcError> {
        let hash = PasswordHash::new(text).map_err(|_| PhcError::Form)?;
        let is_current = hash.version == Some(Version::V0x13.into());
        if hash.algorithm != argon2::ARGON2ID_IDENT || !is_current {
            return Err(PhcError::Form);
        }
        let params = Params::try_from(&hash).map_err(|_| PhcError::Form)?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(PhcError::Form);
        };
        let is_affordable = params.m_cost() <= MOST_MEMORY
            && params.t_cost() <= MOST_PASSES
            && params.p_cost() <= MOST_LANES
            && params.keyid().is_empty()
            && params.data().is_empty();
        if !is_affordable || salt.len() < SHORTEST_SALT || output.len() < SHORTEST_HASH {
            return Err(PhcError::Bounds);
        }
        Ok(Self {
            text: text.to_owned(),
            params,
            salt,
            output,
        })
    }
}

impl fmt::Debug for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn argon2(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_hash_matches_its_password_only() {
        let made = Phc::make(&secret("canary-canary-1"), [3; 16]).unwrap();
        assert!(made.form().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let read = Phc::join(made.form(), made.output()).unwrap();
        assert_eq!(read, made);
        assert_eq!(read.matches(b"canary-canary-1"), Ok(true));
        assert_eq!(read.matches(b"canary-canary-2"), Ok(false));
        assert!(!read.is_weak());
        assert_eq!(format!("{read:?}"), "[redacted]");
    }

    #[test]
    fn the_decoy_costs_what_a_new_hash_costs() {
        let decoy = Phc::decoy().unwrap();
        let made = Phc::make(&secret("a"), [3; 16]).unwrap();
        assert_eq!(
            (
                decoy.params.m_cost(),
                decoy.params.t_cost(),
                decoy.params.p_cost()
            ),
            (made.params.m_cost(), made.params.t_cost(), made.params.p_cost())
        );
        assert_eq!(decoy.output.len(), made.output.len());
        assert_eq!(decoy.matches(b""), Ok(false));
    }

    #[test]
    fn fewer_passes_or_less_memory_are_weak() {
        let hash = |params: &str| {
            let text = format!("$argon2id$v=19${params}$c2VraXNoby9kZWNveS8x$AAAAAAAAAAAAAAAAAAAAAA");
            Phc::try_from(text.as_str()).map(|phc| phc.is_weak())
        };
        assert_eq!(hash("m=19456,t=2,p=1"), Ok(false));
        assert_eq!(hash("m=65536,t=3,p=4"), Ok(false));
        assert_eq!(hash("m=19455,t=2,p=1"), Ok(true));
        assert_eq!(hash("m=19456,t=1,p=1"), Ok(true));
    }

    #[test]
    fn what_is_no_argon2id_or_costs_too_much_is_refused() {
        let tail = "$c2VraXNoby9kZWNveS8x$AAAAAAAAAAAAAAAAAAAAAA";
        for form in [
            "",
            "plain",
            "$argon2i$v=19$m=19456,t=2,p=1",
            "$argon2id$v=16$m=19456,t=2,p=1",
        ] {
            let read = Phc::try_from(format!("{form}{tail}").as_str());
            assert_eq!(read, Err(PhcError::Form), "{form}");
        }
        for params in ["m=262145,t=2,p=1", "m=19456,t=11,p=1", "m=19456,t=2,p=9"] {
            let read = Phc::try_from(format!("$argon2id$v=19${params}{tail}").as_str());
            assert_eq!(read, Err(PhcError::Bounds), "{params}");
        }
        assert_eq!(
            Phc::try_from("$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby9kZWNveS8x$AAAAAAAAAAAAAAAA"),
            Err(PhcError::Bounds)
        );
    }
}
