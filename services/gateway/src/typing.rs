//! What people type. The services normalise for themselves; here only emptiness and what is filled in again matter.

use sekisho_service::text::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// The longest login id that is filled in again, in characters. A real one has at most 64.
const LONGEST_TO_FILL_IN: usize = 128;

/// Whether nothing is left of a login id or a code once white space (U+3000 too) and characters without width are gone.
pub fn is_empty(typed: &str) -> bool {
    typed
        .nfkc()
        .all(|character| character.is_whitespace() || is_invisible(character))
}

/// A login id in its usual form: half-width digits, without white space around it or characters without width. The services look it up like
/// that.
pub fn tidy(typed: &str) -> String {
    let visible: String = typed
        .nfkc()
        .filter(|character| !is_invisible(*character))
        .collect();
    visible.trim().to_owned()
}

/// The login id to fill in again, as typed; empty when it is too long for a cookie.
pub fn to_fill_in(typed: String) -> String {
    if typed.chars().count() <= LONGEST_TO_FILL_IN {
        typed
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_of_any_width_are_nothing() {
        assert!(is_empty(""));
        assert!(is_empty(" \u{3000}\u{00A0}\u{200B}\u{200E}\u{FEFF}"));
        assert!(!is_empty("\u{3000}０"));
    }

    #[test]
    fn a_login_id_is_kept_in_its_usual_form() {
        assert_eq!(tidy("\u{3000}０４５\u{200B}００００１ "), "04500001");
    }

    #[test]
    fn a_login_id_too_long_for_a_cookie_is_not_filled_in_again() {
        assert_eq!(to_fill_in("０４５".into()), "０４５");
        assert_eq!(to_fill_in("9".repeat(129)), "");
    }
}
