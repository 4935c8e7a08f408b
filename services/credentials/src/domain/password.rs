//! Passwords as people type them: NFC and nothing else. A full-width letter is another character than a half-width one.

use sekisho_service::settings::Secret;
use unicode_normalization::UnicodeNormalization;

/// The longest password, in code points.
const LONGEST: usize = 128;
/// The shortest new password, in code points: a single factor (NIST SP 800-63B-4 §3.1.1.2).
const SHORTEST_NEW: usize = 15;

/// What was typed into the field パスワード.
#[derive(Debug, Clone)]
pub enum TypedPassword {
    /// 1–128 code points.
    Comparable(Secret<String>),
    /// Empty or too long: wrong, whatever the password is.
    Hopeless,
}

/// A password that may be set: 15–128 code points. Distributed ones may be shorter; they are never set here.
#[derive(Debug, Clone)]
pub struct NewPassword(Secret<String>);

/// Why a password may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LengthError {
    /// Fewer than 15 code points.
    #[error("the password is too short")]
    TooShort,
    /// More than 128 code points.
    #[error("the password is too long")]
    TooLong,
}

impl TypedPassword {
    /// Reads what was typed.
    pub fn read(typed: &Secret<String>) -> Self {
        let (password, length) = composed(typed);
        if (1..=LONGEST).contains(&length) {
            Self::Comparable(password)
        } else {
            Self::Hopeless
        }
    }
}

impl NewPassword {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`LengthError`].
    pub fn read(typed: &Secret<String>) -> Result<Self, LengthError> {
        let (password, length) = composed(typed);
        match length {
            0..SHORTEST_NEW => Err(LengthError::TooShort),
            SHORTEST_NEW..=LONGEST => Ok(Self(password)),
            _ => Err(LengthError::TooLong),
        }
    }

    /// The text, to hash it.
    pub fn secret(&self) -> &Secret<String> {
        &self.0
    }
}

/// NFC, and its length in code points. Room for everything at once, so that growing leaves no copy behind.
fn composed(typed: &Secret<String>) -> (Secret<String>, usize) {
    let typed = typed.expose();
    let mut text = String::with_capacity(typed.len() * 3 + 4);
    let mut length = 0;
    for c in typed.nfc() {
        text.push(c);
        length += 1;
    }
    (Secret::new(text), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Option<String> {
        match TypedPassword::read(&Secret::new(text.to_owned())) {
            TypedPassword::Comparable(password) => Some(password.expose().clone()),
            TypedPassword::Hopeless => None,
        }
    }

    fn new(text: &str) -> Result<String, LengthError> {
        NewPassword::read(&Secret::new(text.to_owned())).map(|new| new.secret().expose().clone())
    }

    #[test]
    fn two_ways_to_write_one_character_are_one_password() {
        assert_eq!(typed("か\u{3099}").as_deref(), Some("が"));
    }

    #[test]
    fn nothing_but_composition_is_changed() {
        assert_eq!(typed(" Ａbc１ ").as_deref(), Some(" Ａbc１ "));
    }

    #[test]
    fn a_typed_password_has_1_to_128_code_points() {
        assert_eq!(typed(""), None);
        assert!(typed(&"漢".repeat(128)).is_some());
        assert_eq!(typed(&"a".repeat(129)), None);
    }

    #[test]
    fn a_new_password_has_15_to_128_code_points() {
        assert_eq!(new(&"漢".repeat(14)), Err(LengthError::TooShort));
        assert!(new(&"漢".repeat(15)).is_ok());
        assert!(new(&"𠮷".repeat(128)).is_ok());
        assert_eq!(new(&"a".repeat(129)), Err(LengthError::TooLong));
    }

    #[test]
    fn no_password_is_printed() {
        let secret = Secret::new("canary-canary-canary".to_owned());
        let printed = format!(
            "{:?} {:?}",
            TypedPassword::read(&secret),
            NewPassword::read(&secret)
        );
        assert!(!printed.contains("canary"), "{printed}");
    }
}
