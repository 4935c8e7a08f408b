//! Whom the provider means.

use std::fmt;

/// The longest subject identifier, in characters (OpenID Connect Core 1.0, 2).
const LONGEST: usize = 255;

/// A person's subject identifier at the NCR provider: 1–255 ASCII characters that can be seen, told apart by case. Never reassigned by
/// the provider, unlike an address. Never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SubjectIdentifier(String);

/// What the log keeps of a person at the provider: a keyed digest of issuer and subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(pub [u8; 32]);

impl Identity {
    /// As an event holds it; `None` for an empty one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// No provider would name a person like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a subject identifier of 1 to 255 visible ASCII characters")]
pub struct SubjectError;

impl SubjectIdentifier {
    /// The text, as the provider writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for SubjectIdentifier {
    type Error = SubjectError;

    fn try_from(text: &str) -> Result<Self, SubjectError> {
        let is_one = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_one.then(|| Self(text.to_owned())).ok_or(SubjectError)
    }
}

impl fmt::Debug for SubjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_identifier_is_kept_as_it_is_written() {
        let read = |text: &str| SubjectIdentifier::try_from(text).map(|subject| subject.0);
        assert_eq!(read("Ncr-0001").as_deref(), Ok("Ncr-0001"));
        assert!(read(&"a".repeat(255)).is_ok());
        for refused in ["", " ncr", "ncr 1", "ncr\n", "山田", &"a".repeat(256)] {
            assert_eq!(read(refused), Err(SubjectError), "{refused:?}");
        }
    }
}
