//! Numbers by which somebody on the phone and what stands in a log find each other.

use std::fmt;
use std::str::FromStr;

use crate::entropy;

/// One more than the largest number: 12 digits.
const END: u64 = 1_000_000_000_000;

/// An enquiry number, such as `0412-7739-2056`. Opens nothing and tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enquiry(u64);

/// A text that is no enquiry number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an enquiry number has 12 digits")]
pub struct EnquiryError;

impl Enquiry {
    /// One that stands in no log but the caller's.
    pub fn random() -> Self {
        Self::of_bits(entropy::bytes())
    }

    /// That of a flow, so that it finds the flow's entries: from random bits of its id (a UUIDv8, RFC 9562 5.8, whose last 62
    /// bits are random).
    pub fn of_flow(id: [u8; 16]) -> Self {
        let mut bits = [0; 8];
        bits[1..].copy_from_slice(&id[9..]);
        Self::of_bits(bits)
    }

    fn of_bits(bits: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bits) % END)
    }
}

impl fmt::Display for Enquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second, third) = (self.0 / 100_000_000, self.0 / 10_000 % 10_000, self.0 % 10_000);
        write!(f, "{first:04}-{second:04}-{third:04}")
    }
}

impl FromStr for Enquiry {
    type Err = EnquiryError;

    /// With hyphens and spaces or without, however the digits were typed.
    fn from_str(text: &str) -> Result<Self, EnquiryError> {
        let narrow = |c: char| match c {
            '０'..='９' => char::from_u32(u32::from(c) - 0xfee0),
            '-' | ' ' | '　' | 'ー' | '－' | '−' | '‐' => None,
            other => Some(other),
        };
        let digits: String = text.trim().chars().filter_map(narrow).collect();
        if digits.len() == 12 && digits.bytes().all(|digit| digit.is_ascii_digit()) {
            digits.parse().map(Self).map_err(|_| EnquiryError)
        } else {
            Err(EnquiryError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enquiry_number_is_easy_to_read_out_and_read_back() {
        for enquiry in [Enquiry::random(), Enquiry(7), Enquiry(END - 1)] {
            let text = enquiry.to_string();
            let groups: Vec<&str> = text.split('-').collect();
            assert_eq!(
                groups.iter().map(|group| group.len()).collect::<Vec<_>>(),
                [4, 4, 4]
            );
            assert_eq!(text.parse(), Ok(enquiry));
            assert_eq!(text.replace('-', " ").parse(), Ok(enquiry));
            assert_eq!(text.replace('-', "").parse(), Ok(enquiry));
            let wide: String = text
                .chars()
                .map(|c| match c {
                    '-' => 'ー',
                    digit => char::from_u32(u32::from(digit) + 0xfee0).unwrap(),
                })
                .collect();
            assert_eq!(wide.parse(), Ok(enquiry));
        }
        for text in ["", "1234-5678-901", "1234-5678-90123", "1234-5678-901x"] {
            assert_eq!(text.parse::<Enquiry>(), Err(EnquiryError), "{text}");
        }
    }

    #[test]
    fn a_flow_has_one_number_and_another_flow_another_one() {
        let id = |last: u8| {
            let mut id = [0x80; 16];
            id[15] = last;
            id
        };
        assert_eq!(Enquiry::of_flow(id(1)), Enquiry::of_flow(id(1)));
        assert_ne!(Enquiry::of_flow(id(1)), Enquiry::of_flow(id(2)));
    }
}
