//! Password hashes as text: in PHC form, or in that of bcrypt, which is older.

use std::fmt;
use std::sync::LazyLock;

use argon2::Params;
use argon2::password_hash::phc::{Output, Salt};
use sekisho_service::settings::Secret;

use super::recipe::{self, HashError, Recipe, argon2};

/// Memory of a new hash, in KiB. With the next two the floor of OWASP's password storage guide: m=19456, t=2, p=1.
const MEMORY: u32 = 19_456;
/// Passes of a new hash.
const PASSES: u32 = 2;
/// Lanes of a new hash.
const LANES: u32 = 1;
/// Bytes of its salt.
const SALT: usize = 16;

/// The hash that unknown login ids are compared with: it costs what a real one costs, and nothing matches it.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby9kZWNveS8x$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A hash that this service can compute. Never printed.
#[derive(Clone, PartialEq)]
pub struct Phc {
    text: String,
    recipe: Recipe,
    output: Output,
}

/// The password that an account begins with.
#[derive(Debug, Clone, PartialEq)]
pub enum FirstPassword {
    /// One that can be compared with.
    Hash(Box<Phc>),
    /// The one of the system that people signed in to before, as the word `former-system` says.
    WithFormer,
}

impl TryFrom<&str> for FirstPassword {
    type Error = PhcError;

    fn try_from(text: &str) -> Result<Self, PhcError> {
        match text {
            "former-system" => Ok(Self::WithFormer),
            hash => Phc::try_from(hash).map(Box::new).map(Self::Hash),
        }
    }
}

/// Why a text is no hash that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhcError {
    /// None of argon2id (version 19), bcrypt, PBKDF2 with SHA-256 or SHA-512, and scrypt.
    #[error("not a hash of argon2id, bcrypt, PBKDF2 or scrypt")]
    Form,
    /// Salt or hash are too short, or it costs more than this service can afford, or next to nothing.
    #[error("a hash with parameters out of bounds")]
    Bounds,
}

impl Phc {
    /// Hashes a password with a salt.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn make(password: &Secret<String>, salt: [u8; SALT]) -> Result<Self, HashError> {
        let params = Params::new(MEMORY, PASSES, LANES, Some(Params::DEFAULT_OUTPUT_LEN));
        let params = params.map_err(|_| HashError)?;
        let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
        argon2(&params)
            .hash_password_into(password.expose().as_bytes(), &salt, &mut bytes)
            .map_err(|_| HashError)?;
        let salt = Salt::new(&salt).map_err(|_| HashError)?;
        let output = Output::new(&bytes).map_err(|_| HashError)?;
        Ok(Self {
            text: format!("$argon2id$v=19${params}${salt}${output}"),
            recipe: Recipe::Argon2id(params, salt),
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
        recipe::split(&self.text).0
    }

    /// The hash itself.
    pub(super) fn output(&self) -> &[u8] {
        self.output.as_ref()
    }

    /// Form and hash together again.
    pub(super) fn join(form: &str, output: &[u8]) -> Result<Self, PhcError> {
        Self::try_from(recipe::join(form, output)?.as_str())
    }

    /// Whether it was made as a new one is today. What is weaker costs an attacker less, and what is stronger takes longer than
    /// the answer to an unknown login id.
    pub fn is_of_today(&self) -> bool {
        match &self.recipe {
            Recipe::Argon2id(params, salt) => {
                (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY, PASSES, LANES)
                    && salt.len() >= SALT
                    && self.output.len() == Params::DEFAULT_OUTPUT_LEN
            }
            Recipe::Bcrypt | Recipe::Pbkdf2(..) | Recipe::Scrypt(..) => false,
        }
    }

    /// The algorithm, and what makes it dearer.
    pub(super) fn weights(&self) -> (&'static str, [u32; 3]) {
        self.recipe.weights(&self.text, &self.output)
    }

    /// Whether the hash is of the whole password: bcrypt reads 72 bytes, and whatever comes after them may be a typing error.
    pub fn is_of_all(&self, password: &Secret<String>) -> bool {
        const READ_BY_BCRYPT: usize = 72;
        !matches!(self.recipe, Recipe::Bcrypt) || password.expose().len() <= READ_BY_BCRYPT
    }

    /// Whether the password is the one that was hashed. One computation, whatever comes of it.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn matches(&self, password: &[u8]) -> Result<bool, HashError> {
        self.recipe.matches(password, &self.text, &self.output)
    }
}

impl TryFrom<&str> for Phc {
    type Error = PhcError;

    fn try_from(text: &str) -> Result<Self, PhcError> {
        let (recipe, output) = Recipe::read(text)?;
        Ok(Self {
            text: text.to_owned(),
            recipe,
            output,
        })
    }
}

impl fmt::Debug for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
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
        assert!(read.is_of_today());
        assert_eq!(format!("{read:?}"), "[redacted]");
    }

    #[test]
    fn the_decoy_costs_what_a_new_hash_costs() {
        let decoy = Phc::decoy().unwrap();
        let made = Phc::make(&secret("a"), [3; 16]).unwrap();
        let costs = |phc: &Phc| match &phc.recipe {
            Recipe::Argon2id(params, _) => (params.m_cost(), params.t_cost(), params.p_cost()),
            Recipe::Bcrypt | Recipe::Pbkdf2(..) | Recipe::Scrypt(..) => panic!("not argon2id"),
        };
        assert_eq!(costs(&decoy), costs(&made));
        assert_eq!(decoy.output.len(), made.output.len());
        assert_eq!(decoy.matches(b""), Ok(false));
    }

    #[test]
    fn what_is_weaker_or_dearer_or_shorter_than_a_new_hash_is_not_of_today() {
        const SALT: &str = "c2VraXNoby9kZWNveS8xMg";
        const HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let is_of_today = |params: &str, salt: &str, hash: &str| {
            let text = format!("$argon2id$v=19${params}${salt}${hash}");
            Phc::try_from(text.as_str()).map(|phc| phc.is_of_today())
        };
        assert_eq!(is_of_today("m=19456,t=2,p=1", SALT, HASH), Ok(true));
        for params in [
            "m=65536,t=3,p=4",
            "m=19455,t=2,p=1",
            "m=19456,t=1,p=1",
            "m=19456,t=2,p=2",
        ] {
            assert_eq!(is_of_today(params, SALT, HASH), Ok(false), "{params}");
        }
        assert_eq!(is_of_today("m=19456,t=2,p=1", "c2VraXNoby8", HASH), Ok(false));
        assert_eq!(
            is_of_today("m=19456,t=2,p=1", SALT, "AAAAAAAAAAAAAAAAAAAAAA"),
            Ok(false)
        );
    }

    #[test]
    fn an_argon2id_of_another_kind_or_that_costs_too_much_is_refused() {
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
