//! In which language somebody reads the pages.

use http::{HeaderMap, header};

use crate::texts::{ENGLISH, JAPANESE, Texts};

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// That of the manual.
    #[default]
    Japanese,
    /// For whoever prefers it.
    English,
}

impl Language {
    /// English for a browser that prefers it (RFC 9110, 12.5.4).
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE);
        let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if weight(accepted, "en") > weight(accepted, "ja") {
            Self::English
        } else {
            Self::Japanese
        }
    }

    /// What the pages say.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::Japanese => &JAPANESE,
            Self::English => &ENGLISH,
        }
    }
}

/// How much a language is wanted, of whatever country: 0 to 1.
fn weight(accepted: &str, language: &str) -> f32 {
    let ranges = accepted
        .split(',')
        .map(|range| range.split_once(';').unwrap_or((range, "q=1")));
    let weights = ranges
        .filter(|(range, _)| {
            let primary = range.trim().split('-').next();
            primary.is_some_and(|primary| primary.eq_ignore_ascii_case(language))
        })
        .filter_map(|(_, weight)| weight.trim().strip_prefix("q=")?.parse::<f32>().ok());
    weights.fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(accepted: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
        Language::of(&headers)
    }

    #[test]
    fn english_is_for_whoever_prefers_it() {
        for accepted in [
            "en-US,en;q=0.9",
            "en, ja;q=0.9",
            "ja;q=0.1, EN-gb;q=0.2",
            "fr, en;q=0.5",
        ] {
            assert_eq!(of(accepted), Language::English, "{accepted}");
        }
    }

    #[test]
    fn everybody_else_reads_japanese() {
        let strange = format!("{}en;q=x", "en;q=NaN,".repeat(100));
        for accepted in [
            "",
            "ja,en-US;q=0.9,en;q=0.8",
            "ja-JP",
            "fr",
            "*",
            "en;q=0",
            "english",
            &strange,
        ] {
            assert_eq!(of(accepted), Language::Japanese, "{accepted}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::Japanese);
    }
}
