//! Six digits that must not be printed.

use std::fmt;

use sekisho_service::settings::Secret;
use subtle::ConstantTimeEq;

/// Digits of a code.
pub const LENGTH: usize = 6;

/// A code, derived or typed, as ASCII digits. `Debug` does not show it.
#[derive(Clone)]
pub struct Digits(Secret<[u8; LENGTH]>);

impl Digits {
    /// The last six digits of a number.
    pub(super) fn of_number(number: u32) -> Self {
        let mut digits = Secret::new([b'0'; LENGTH]);
        let mut rest = number;
        for digit in digits.expose_mut().iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        Self(digits)
    }

    /// `None` for anything but six ASCII digits.
    pub(super) fn of_ascii(text: &[u8]) -> Option<Self> {
        let digits: [u8; LENGTH] = text.try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| Self(Secret::new(digits)))
    }

    /// The digits, for the mail and for digests of commands. Never log them.
    pub fn expose(&self) -> &[u8; LENGTH] {
        self.0.expose()
    }

    /// Compares in constant time.
    pub fn equal(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_keeps_its_leading_zeros() {
        assert_eq!(Digits::of_number(1_000_042).expose(), b"000042");
    }

    #[test]
    fn a_code_is_never_printed() {
        assert_eq!(format!("{:?}", Digits::of_number(123_456)), "[redacted]");
    }

    #[test]
    fn codes_are_compared_whole() {
        let code = Digits::of_number(123_456);
        assert!(code.equal(&Digits::of_number(123_456)));
        assert!(!code.equal(&Digits::of_number(123_457)));
        assert!(!code.equal(&Digits::of_number(23_456)));
    }
}
