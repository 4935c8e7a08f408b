//! Login ids as people type them.

use sekisho_service::text::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// The longest login id, in code points after normalising.
const LONGEST: usize = 64;

/// A login id that an account can have: normalised, 1–64 code points, nothing invisible.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LoginId(String);

/// What was typed into the field 利用者ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedLogin {
    /// Somebody may have it.
    Possible(LoginId),
    /// Nobody can have it; normalised all the same, because it has a phantom like every other.
    Impossible(String),
}

impl LoginId {
    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TypedLogin {
    /// Normalises what was typed: NFKC, so that full-width digits work; no zero-width characters; no white space at
    /// either end. Nothing else is guessed: O stays O and l stays l.
    pub fn read(typed: &str) -> Self {
        let visible = typed.chars().filter(|c| !is_invisible(*c));
        let folded: String = visible.nfkc().collect();
        let normalised = folded.trim();
        let length = normalised.chars().count();
        if (1..=LONGEST).contains(&length) && !normalised.chars().any(char::is_control) {
            Self::Possible(LoginId(normalised.to_owned()))
        } else {
            Self::Impossible(normalised.to_owned())
        }
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Possible(login) => login.as_str(),
            Self::Impossible(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(typed: &str) -> Option<String> {
        match TypedLogin::read(typed) {
            TypedLogin::Possible(login) => Some(login.0),
            TypedLogin::Impossible(_) => None,
        }
    }

    #[test]
    fn full_width_digits_and_surrounding_spaces_do_not_matter() {
        assert_eq!(read("\u{3000}０４５００００１ ").as_deref(), Some("04500001"));
        assert_eq!(read(" \t04500001\u{3000}").as_deref(), Some("04500001"));
        assert_eq!(
            read("\u{feff}0450\u{200b}0001\u{200d}").as_deref(),
            Some("04500001")
        );
    }

    #[test]
    fn look_alikes_stay_what_they_are() {
        assert_eq!(read("O45OOOOl").as_deref(), Some("O45OOOOl"));
    }

    #[test]
    fn a_login_id_has_1_to_64_code_points() {
        assert_eq!(read(" \u{200b} "), None);
        assert!(read(&"𠮷".repeat(64)).is_some());
        assert_eq!(read(&"1".repeat(65)), None);
    }

    #[test]
    fn a_control_character_is_in_no_login_id() {
        assert_eq!(read("0450\u{0}0001"), None);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(typed in ".{0,80}") {
            let once = TypedLogin::read(&typed);
            prop_assert_eq!(TypedLogin::read(once.as_str()), once);
        }
    }
}
