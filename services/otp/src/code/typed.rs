//! A code as people type it (screens 2.0, "Text handling").

use sekisho_service::settings::Secret;
use sekisho_service::text::is_invisible;
use unicode_normalization::UnicodeNormalization;

use super::digits::{Digits, LENGTH};

/// Longer input is no code, whatever it normalises to.
const LONGEST: usize = 256;

/// The long-vowel mark, which a Japanese keyboard gives for a hyphen.
const LONG_VOWEL: char = 'ー';

/// What was typed is not six digits. Not counted as a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code of six digits")]
pub struct Malformed;

/// The digits of a typed code: NFKC, then spaces, hyphens, ー between digits and zero-width characters are dropped.
///
/// # Errors
/// [`Malformed`] if something else than six digits is left.
pub fn read_typed(text: &str) -> Result<Digits, Malformed> {
    if text.len() > LONGEST {
        return Err(Malformed);
    }
    // In one place that is wiped: a string that grows leaves copies behind.
    let mut digits = Secret::new([0; LENGTH]);
    let mut count = 0;
    let mut ends_with_mark = false;
    for character in text.nfkc().filter(|character| !is_dropped(*character)) {
        ends_with_mark = character == LONG_VOWEL;
        if !ends_with_mark {
            let place = digits.expose_mut().get_mut(count).ok_or(Malformed)?;
            *place = u8::try_from(character).map_err(|_| Malformed)?;
            count += 1;
        } else if count == 0 {
            return Err(Malformed);
        }
    }
    if ends_with_mark {
        return Err(Malformed);
    }
    // A place that was not filled is no digit.
    Digits::of_ascii(digits.expose()).ok_or(Malformed)
}

fn is_dropped(character: char) -> bool {
    character.is_whitespace() || is_hyphen(character) || is_invisible(character)
}

/// Hyphens and dashes, and the minus sign.
fn is_hyphen(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let digits = read_typed(text).ok()?;
        Some(String::from_utf8_lossy(digits.expose()).into_owned())
    }

    #[test]
    fn a_code_is_read_however_it_was_typed() {
        let ways = [
            "123456",
            "１２３４５６",
            " 123 456\n",
            "１２３　４５６",
            "123-456",
            "１２３－４５６",
            "123ー456",
            "123ｰ456",
            "12‐34–56",
            "123\u{200b}456\u{feff}",
            "①②③④⑤⑥",
        ];
        for way in ways {
            assert_eq!(read(way).as_deref(), Some("123456"), "{way:?}");
        }
    }

    #[test]
    fn anything_but_six_digits_is_malformed() {
        let others = [
            "",
            " ",
            "12345",
            "1234567",
            "12345a",
            "ー123456",
            "123456ー",
            "12345六",
            "١٢٣٤٥٦",
            "123.456",
            "+123456",
        ];
        for other in others {
            assert_eq!(read(other), None, "{other:?}");
        }
        assert_eq!(read(&format!("123456{}", " ".repeat(1_000))), None);
    }
}
