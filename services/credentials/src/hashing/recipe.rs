//! How a hash was made: argon2id, or what other systems used. All but argon2id are made anew at the next sign-in.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use pbkdf2::pbkdf2_hmac;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::PhcError;

/// The most that a ready-made hash may ask of us, in KiB: the pool's threads each need as much.
const MOST_MEMORY: u32 = 256 * 1024;
/// The most passes of argon2id.
const MOST_PASSES: u32 = 10;
/// The most lanes of argon2id and scrypt; they are computed one after another here.
const MOST_LANES: u32 = 8;
/// The costs of bcrypt: 2^14 rounds are about a second.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// The rounds of PBKDF2: three million are about a second.
const PBKDF2_ROUNDS: std::ops::RangeInclusive<u32> = 1_000..=3_000_000;
/// Of salt and hash, in bytes (RFC 9106, 3.1 and 4).
const SHORTEST_SALT: usize = 8;
const SHORTEST_HASH: usize = 16;

/// Algorithm, parameters and salt.
#[derive(Clone, PartialEq)]
pub(super) enum Recipe {
    /// RFC 9106.
    Argon2id(Params, Salt),
    /// The hash's text holds everything, as its library wants it.
    Bcrypt,
    /// RFC 8018, with HMAC over one of two digests.
    Pbkdf2(Digest, u32, Salt),
    /// RFC 7914.
    Scrypt(scrypt::Params, Salt),
}

/// Of PBKDF2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha512,
}

/// There was no memory, or a length is impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed")]
pub struct HashError;

impl Recipe {
    /// How a hash was made, and the hash itself.
    pub fn read(text: &str) -> Result<(Self, Output), PhcError> {
        if text.starts_with("$2") {
            return read_bcrypt(text);
        }
        let hash = PasswordHash::new(text).map_err(|_| PhcError::Form)?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(PhcError::Form);
        };
        if salt.len() < SHORTEST_SALT || output.len() < SHORTEST_HASH {
            return Err(PhcError::Bounds);
        }
        let recipe = match hash.algorithm.as_str() {
            "argon2id" => argon2id(&hash, salt)?,
            "pbkdf2-sha256" => pbkdf2(Digest::Sha256, &hash, salt)?,
            "pbkdf2-sha512" => pbkdf2(Digest::Sha512, &hash, salt)?,
            "scrypt" => scrypt(&hash, salt)?,
            _ => return Err(PhcError::Form),
        };
        Ok((recipe, output))
    }

    /// Whether a password gives this output. `text` is what [`Recipe::read`] has read.
    pub fn matches(&self, password: &[u8], text: &str, output: &Output) -> Result<bool, HashError> {
        if matches!(self, Self::Bcrypt) {
            return bcrypt::verify(password, text).map_err(|_| HashError);
        }
        let mut bytes = [0; Output::MAX_LENGTH];
        let bytes = bytes.get_mut(..output.len()).ok_or(HashError)?;
        self.compute(password, bytes)?;
        Ok(bytes.ct_eq(output.as_ref()).into())
    }

    /// The algorithm, and what makes it dearer: of two hashes of one algorithm the one that asks for no less of anything costs no less.
    pub fn weights(&self, text: &str, output: &Output) -> (&'static str, [u32; 3]) {
        let blocks = u32::try_from(output.len().div_ceil(32)).unwrap_or(u32::MAX);
        match self {
            Self::Argon2id(params, _) => ("argon2id", [params.m_cost(), params.t_cost(), params.p_cost()]),
            Self::Bcrypt => {
                let cost = text
                    .parse()
                    .map_or(u32::MAX, |parts: bcrypt::HashParts| parts.get_cost());
                ("bcrypt", [cost, 0, 0])
            }
            // Each 32 or 64 bytes of the output take all rounds anew.
            Self::Pbkdf2(Digest::Sha256, rounds, _) => ("pbkdf2-sha256", [*rounds, blocks, 0]),
            Self::Pbkdf2(Digest::Sha512, rounds, _) => ("pbkdf2-sha512", [*rounds, blocks, 0]),
            Self::Scrypt(params, _) => ("scrypt", [u32::from(params.log_n()), params.r(), params.p()]),
        }
    }

    fn compute(&self, password: &[u8], bytes: &mut [u8]) -> Result<(), HashError> {
        match self {
            Self::Argon2id(params, salt) => argon2(params)
                .hash_password_into(password, salt, bytes)
                .map_err(|_| HashError),
            Self::Pbkdf2(Digest::Sha256, rounds, salt) => {
                pbkdf2_hmac::<Sha256>(password, salt, *rounds, bytes);
                Ok(())
            }
            Self::Pbkdf2(Digest::Sha512, rounds, salt) => {
                pbkdf2_hmac::<Sha512>(password, salt, *rounds, bytes);
                Ok(())
            }
            Self::Scrypt(params, salt) => {
                scrypt::scrypt(password, salt, params, bytes).map_err(|_| HashError)
            }
            Self::Bcrypt => Err(HashError),
        }
    }
}

pub(super) fn argon2(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn argon2id(hash: &PasswordHash, salt: Salt) -> Result<Recipe, PhcError> {
    if hash.version != Some(Version::V0x13.into()) {
        return Err(PhcError::Form);
    }
    let params = Params::try_from(hash).map_err(|_| PhcError::Form)?;
    let is_affordable = params.m_cost() <= MOST_MEMORY
        && params.t_cost() <= MOST_PASSES
        && params.p_cost() <= MOST_LANES
        && params.keyid().is_empty()
        && params.data().is_empty();
    is_affordable
        .then_some(Recipe::Argon2id(params, salt))
        .ok_or(PhcError::Bounds)
}

/// `$pbkdf2-sha256$i=600000,l=32$salt$hash`
fn pbkdf2(digest: Digest, hash: &PasswordHash, salt: Salt) -> Result<Recipe, PhcError> {
    let rounds = hash.params.get_decimal("i").ok_or(PhcError::Form)?;
    PBKDF2_ROUNDS
        .contains(&rounds)
        .then_some(Recipe::Pbkdf2(digest, rounds, salt))
        .ok_or(PhcError::Bounds)
}

/// `$scrypt$ln=15,r=8,p=1$salt$hash`
fn scrypt(hash: &PasswordHash, salt: Salt) -> Result<Recipe, PhcError> {
    let parameter = |name| hash.params.get_decimal(name).ok_or(PhcError::Form);
    let (log_n, block, lanes) = (parameter("ln")?, parameter("r")?, parameter("p")?);
    // 128 bytes for each of the 2^log_n blocks (RFC 7914, 2).
    let memory = 1_u64
        .checked_shl(log_n)
        .and_then(|blocks| blocks.checked_mul(u64::from(block))?.checked_mul(128));
    let is_affordable = (10..=20).contains(&log_n)
        && memory.is_some_and(|memory| memory <= u64::from(MOST_MEMORY) * 1024)
        && lanes <= MOST_LANES;
    if !is_affordable {
        return Err(PhcError::Bounds);
    }
    let log_n = u8::try_from(log_n).map_err(|_| PhcError::Bounds)?;
    let params = scrypt::Params::new(log_n, block, lanes).map_err(|_| PhcError::Bounds)?;
    Ok(Recipe::Scrypt(params, salt))
}

/// `$2b$12$` and 53 letters: it is older than the PHC form, and every system writes it like this.
fn read_bcrypt(text: &str) -> Result<(Recipe, Output), PhcError> {
    use base64::Engine as _;
    let parts: bcrypt::HashParts = text.parse().map_err(|_| PhcError::Form)?;
    // `$2x$` marks hashes of a mistaken implementation, which the library computes rightly, so not like it.
    if text.starts_with("$2x") {
        return Err(PhcError::Form);
    }
    if !BCRYPT_COSTS.contains(&parts.get_cost()) {
        return Err(PhcError::Bounds);
    }
    let (_, hash) = split(text);
    let bytes = bcrypt::BASE_64.decode(hash).map_err(|_| PhcError::Form)?;
    let output = Output::new(&bytes).map_err(|_| PhcError::Form)?;
    Ok((Recipe::Bcrypt, output))
}

/// Everything but the hash, and the hash as text. In bcrypt's form no `$` stands between salt and hash.
pub(super) fn split(text: &str) -> (&str, &str) {
    const BCRYPT_FORM: usize = "$2b$12$".len() + 22;
    if text.starts_with("$2") {
        return text.split_at_checked(BCRYPT_FORM).unwrap_or((text, ""));
    }
    text.rsplit_once('$').unwrap_or((text, ""))
}

/// Form and hash together again.
pub(super) fn join(form: &str, output: &[u8]) -> Result<String, PhcError> {
    use base64::Engine as _;
    if form.starts_with("$2") {
        return Ok(format!("{form}{}", bcrypt::BASE_64.encode(output)));
    }
    let output = Output::new(output).map_err(|_| PhcError::Bounds)?;
    Ok(format!("{form}${output}"))
}

#[cfg(test)]
mod tests {
    use sekisho_service::settings::Secret;

    use super::super::Phc;
    use super::*;

    /// Made by other programs: scrypt's is of RFC 7914 (12), the others were made by Python's and glibc's functions.
    const READY_MADE: [(&str, &str); 4] = [
        (
            "U*U",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ),
        (
            "pleaseletmein",
            "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
        ),
        (
            "passwordPASSWORDpassword",
            "$pbkdf2-sha256$i=4096,l=32$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$NIyJ28vTKy8y2BS4EW6EzysXNH68GAAYHE4qH7jdU+E",
        ),
        (
            "passwordPASSWORDpassword",
            "$pbkdf2-sha512$i=4096,l=64$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$jAUR9Mbll8asYxXY8DYuIl88UBSVuiO4aMAFF03E7nERW1n55gzZUy+jPg91rv4wIlxYOhhs2CvU2uqXJKPTuA",
        ),
    ];

    #[test]
    fn what_other_systems_hashed_is_compared_and_made_anew() {
        for (password, text) in READY_MADE {
            let phc = Phc::try_from(text).unwrap();
            assert_eq!(phc.matches(password.as_bytes()), Ok(true), "{text}");
            assert_eq!(phc.matches(b"another one"), Ok(false), "{text}");
            assert!(!phc.is_of_today(), "{text}");
            let joined = Phc::join(phc.form(), phc.output()).unwrap();
            assert!(joined == phc, "{text}");
            assert!(
                text.starts_with(phc.form()) && phc.form().len() < text.len(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_costs_too_much_or_too_little_is_refused() {
        let tail = "$c2VraXNoby9kZWNveS8x$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for form in [
            "$scrypt$ln=9,r=8,p=1",
            "$scrypt$ln=19,r=8,p=1",
            "$scrypt$ln=63,r=8,p=1",
            "$scrypt$ln=14,r=8,p=9",
            "$scrypt$ln=14,r=0,p=1",
            "$pbkdf2-sha256$i=999",
            "$pbkdf2-sha512$i=3000001",
        ] {
            let read = Phc::try_from(format!("{form}{tail}").as_str());
            assert_eq!(read, Err(PhcError::Bounds), "{form}");
        }
        for form in [
            "$scrypt$ln=14,r=8",
            "$pbkdf2-sha256$l=32",
            "$pbkdf2$i=4096",
            "$md5$i=4096",
        ] {
            let read = Phc::try_from(format!("{form}{tail}").as_str());
            assert_eq!(read, Err(PhcError::Form), "{form}");
        }
        let bcrypt = |cost: &str| {
            Phc::try_from(
                format!("$2b${cost}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").as_str(),
            )
        };
        assert!(bcrypt("14").is_ok());
        assert_eq!(bcrypt("15"), Err(PhcError::Bounds));
        for text in [
            "$2b$12$short",
            "$2b$12$",
            "$2",
            "$2x$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvy£W",
        ] {
            assert_eq!(Phc::try_from(text), Err(PhcError::Form), "{text}");
        }
    }

    /// Of more than 72 bytes bcrypt has read 72, wherever the hash was made.
    #[test]
    fn a_long_password_is_compared_as_bcrypt_hashed_it() {
        let long = "あ".repeat(30);
        let text = bcrypt::hash(&long, 4).unwrap();
        let phc = Phc::try_from(text.as_str()).unwrap();
        assert_eq!(phc.matches(long.as_bytes()), Ok(true));
        assert_eq!(phc.matches("あ".repeat(24).as_bytes()), Ok(true));
        assert_eq!(phc.matches("あ".repeat(23).as_bytes()), Ok(false));
        let is_of_all = |times| phc.is_of_all(&Secret::new("あ".repeat(times)));
        assert!(is_of_all(24) && !is_of_all(30));
    }
}
