//! E-mail addresses of accounts.

use std::fmt;
use std::str::FromStr as _;

use unicode_normalization::is_nfkc;

/// The longest address that SMTP carries, in bytes (RFC 5321, 4.5.3.1.3, without the angle brackets).
const LONGEST: usize = 254;

/// An address to which codes are mailed. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    at: usize,
}

/// A text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address of the form name@domain")]
pub struct AddressError;

impl Address {
    /// The address in full.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// First code point, five stars, domain as registered: the number of stars never tells the length (manual, 3.2).
    pub fn masked(&self) -> String {
        let (name, domain) = self.text.split_at(self.at);
        let first: String = name.chars().take(1).collect();
        format!("{first}*****{domain}")
    }
}

impl TryFrom<&str> for Address {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        let at = text.rfind('@').ok_or(AddressError)?;
        let (name, domain) = text.split_at(at);
        let clean = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | ';');
        let whole = !name.is_empty() && domain.len() > 1 && text.len() <= LONGEST;
        // What cannot be written on a letter would be refused each time, and only then.
        let is_written = lettre::Address::from_str(text).is_ok();
        // Full-width letters are a slip of the keyboard, and another address.
        if whole && text.chars().all(clean) && !name.contains('@') && is_written && is_nfkc(text) {
            Ok(Self {
                text: text.to_owned(),
                at,
            })
        } else {
            Err(AddressError)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> Option<String> {
        Address::try_from(text).ok().map(|address| address.masked())
    }

    #[test]
    fn the_mask_shows_the_first_character_and_the_domain() {
        assert_eq!(
            masked("gantoroku@example.com").as_deref(),
            Some("g*****@example.com")
        );
        assert_eq!(masked("g@example.com").as_deref(), Some("g*****@example.com"));
        assert_eq!(masked("漢字@例え.jp").as_deref(), Some("漢*****@例え.jp"));
    }

    /// Some mobile companies of Japan have given such addresses out; RFC 5321 knows them only in quotation marks.
    #[test]
    fn what_no_letter_can_be_written_to_is_no_address() {
        for text in [
            "a..b@example.com",
            "a.@example.com",
            ".a@example.com",
            "a@-.example",
            "a@b..example",
            "ａ@example.com",
        ] {
            assert_eq!(masked(text), None, "{text:?}");
        }
        assert_eq!(masked(&format!("{}@example.com", "a".repeat(65))), None);
    }

    #[test]
    fn what_could_end_a_header_is_no_address() {
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a",
            "a@b\r\nBcc: c@d",
            "a b@c",
            "<a@b>",
            "a@b,c@d",
            "a@b@c",
        ] {
            assert_eq!(masked(text), None, "{text:?}");
        }
        assert_eq!(masked(&format!("{}@b", "a".repeat(253))), None);
    }

    #[test]
    fn an_address_is_never_printed() {
        let address = Address::try_from("canary@example.com").unwrap();
        assert_eq!(format!("{address:?}"), "[redacted]");
    }
}
