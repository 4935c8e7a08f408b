//! Passwords as people type them: NFC and nothing else. A full-width letter is another character than a half-width one.

use sekisho_service::settings::Secret;
use unicode_normalization::UnicodeNormalization;

use super::blocklist::{Blocklist, Weakness};

/// The longest password, in code points.
pub const LONGEST: usize = 128;

/// What was typed into the field パスワード.
#[derive(Debug, Clone)]
pub enum TypedPassword {
    /// 1–128 code points.
    Comparable(Secret<String>),
    /// Empty or too long: wrong, whatever the password is.
    Hopeless,
}

/// A password of a length that may be set. Distributed ones may be shorter; they are never set here.
#[derive(Debug, Clone)]
pub struct NewPassword(Secret<String>);

/// Why a password may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer code points than the rules ask for.
    #[error("the password is too short")]
    TooShort,
    /// More than 128 code points.
    #[error("the password is too long")]
    TooLong,
    /// Many people use it, or it is made of what guessers try first.
    #[error("the password is a common one")]
    Common,
    /// It is the one that must be changed.
    #[error("the password is the one that must be changed")]
    Unchanged,
    /// It holds the login id, or a name of the person, the facility or this system.
    #[error("the password holds a word that belongs to the account")]
    Contextual,
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
    /// Reads what was typed; `shortest` is in code points.
    ///
    /// # Errors
    /// [`PasswordError::TooShort`], [`PasswordError::TooLong`].
    pub fn read(typed: &Secret<String>, shortest: usize) -> Result<Self, PasswordError> {
        let (password, length) = composed(typed);
        if length < shortest {
            Err(PasswordError::TooShort)
        } else if length > LONGEST {
            Err(PasswordError::TooLong)
        } else {
            Ok(Self(password))
        }
    }

    /// Refuses what is easily guessed. Some milliseconds of computing.
    ///
    /// # Errors
    /// [`PasswordError::Common`], [`PasswordError::Contextual`].
    pub fn check(&self, blocklist: &Blocklist) -> Result<(), PasswordError> {
        match blocklist.weakness(self.0.expose()) {
            None => Ok(()),
            Some(Weakness::Common) => Err(PasswordError::Common),
            Some(Weakness::Contextual) => Err(PasswordError::Contextual),
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

    fn new(text: &str) -> Result<String, PasswordError> {
        NewPassword::read(&Secret::new(text.to_owned()), 15).map(|new| new.secret().expose().clone())
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
        assert_eq!(new(&"漢".repeat(14)), Err(PasswordError::TooShort));
        assert!(new(&"漢".repeat(15)).is_ok());
        assert!(new(&"𠮷".repeat(128)).is_ok());
        assert_eq!(new(&"a".repeat(129)), Err(PasswordError::TooLong));
        // A letter and its mark are one code point once they are composed.
        assert_eq!(new(&"か\u{3099}".repeat(14)), Err(PasswordError::TooShort));
        assert!(new(&"か\u{3099}".repeat(15)).is_ok());
        assert!(new(&"か\u{3099}".repeat(128)).is_ok());
    }

    #[test]
    fn a_shorter_length_may_be_agreed_on() {
        let short = Secret::new("a".repeat(8));
        assert!(NewPassword::read(&short, 8).is_ok());
        assert!(NewPassword::read(&short, 9).is_err());
    }

    #[test]
    fn no_password_is_printed() {
        let secret = Secret::new("canary-canary-canary".to_owned());
        let printed = format!(
            "{:?} {:?}",
            TypedPassword::read(&secret),
            NewPassword::read(&secret, 15)
        );
        assert!(!printed.contains("canary"), "{printed}");
    }
}
