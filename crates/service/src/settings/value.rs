//! Texts that become types.

use super::Secret;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A type that a variable's text can become.
pub trait Value: Sized {
    /// What the reference calls it, such as "duration".
    const KIND: &'static str;
    /// Whether the reference marks it as secret.
    const SECRET: bool = false;

    /// Reads a trimmed text that is not empty.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without repeating it: the text may be a secret in the wrong place.
    fn parse(text: &str) -> Result<Self, String>;
}

macro_rules! parsed {
    ($($type:ty: $kind:literal, $problem:literal;)+) => {$(
        impl Value for $type {
            const KIND: &'static str = $kind;

            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| $problem.to_owned())
            }
        }
    )+};
}

parsed! {
    u16: "number", "is not a whole number from 0 to 65535";
    u32: "number", "is not a whole number";
    u64: "number", "is not a whole number";
    usize: "number", "is not a whole number";
    std::num::NonZeroU64: "number", "is not a whole number above 0";
    std::num::NonZeroUsize: "number", "is not a whole number above 0";
    SocketAddr: "address and port", "is not an address with a port, such as 127.0.0.1:8443 or [::1]:8443";
    IpAddr: "address", "is not an IP address";
    http::Uri: "URL", "is not a URL";
}

impl Value for String {
    const KIND: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "path";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

/// Durations carry a unit: a bare number has been read as seconds and as milliseconds once too often.
impl Value for Duration {
    const KIND: &'static str = "duration";

    fn parse(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map_err(|_| "is not a duration with a unit, such as 30m or 500ms".to_owned())
    }
}

impl<T: Value + zeroize::Zeroize> Value for Secret<T> {
    const KIND: &'static str = T::KIND;
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Secret::new)
    }
}

/// A list has commas between its items.
impl<T: Value> Value for Vec<T> {
    const KIND: &'static str = "list";
    const SECRET: bool = T::SECRET;

    fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(|item| T::parse(item.trim())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_without_a_unit_is_a_mistake() {
        assert_eq!(Duration::parse("30m"), Ok(Duration::from_mins(30)));
        assert_eq!(Duration::parse("500ms"), Ok(Duration::from_millis(500)));
        assert!(Duration::parse("30").is_err());
    }

    #[test]
    fn a_list_is_read_item_by_item() {
        assert_eq!(Vec::<u16>::parse("1, 2,3"), Ok(vec![1, 2, 3]));
        assert!(Vec::<u16>::parse("1,,3").is_err());
    }
}
