//! The deadline of a call on the wire: the header `grpc-timeout` of the gRPC protocol over HTTP/2.

use http::{HeaderMap, HeaderValue};
use std::time::Duration;

const HEADER: &str = "grpc-timeout";

/// The time that the caller allows, if it says so in the protocol's form: at most 8 digits and a unit.
pub(crate) fn of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let amount: u64 = digits.parse().ok().filter(|_| is_number)?;
    match unit {
        "H" => Some(Duration::from_hours(amount)),
        "M" => Some(Duration::from_mins(amount)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

/// Tells the server how long its caller will wait, in milliseconds.
pub(crate) fn set(headers: &mut HeaderMap, allowed: Duration) {
    let milliseconds = allowed.as_millis().min(99_999_999);
    if let Ok(value) = HeaderValue::from_str(&format!("{milliseconds}m")) {
        headers.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_static(text));
        of(&headers)
    }

    #[test]
    fn a_deadline_is_read_in_every_unit() {
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        assert_eq!(read("1500m"), Some(Duration::from_millis(1500)));
        assert_eq!(read("1H"), Some(Duration::from_hours(1)));
        assert_eq!(read("99999999H"), Some(Duration::from_hours(99_999_999)));
    }

    #[test]
    fn a_deadline_of_another_form_is_none() {
        for text in ["", "S", "2", "+2S", "123456789S", "2s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_written_deadline_reads_back() {
        let mut headers = HeaderMap::new();
        set(&mut headers, Duration::from_secs(2));
        assert_eq!(of(&headers), Some(Duration::from_secs(2)));
    }
}
