//! What of a typed text cannot be seen.

use icu_properties::CodePointSetData;
use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint};

/// Characters that nothing is drawn for: joiners, marks of direction, fillers, selectors of variants, byte order marks (Unicode:
/// Default_Ignorable_Code_Point and Bidi_Control). They come along when people copy from mails and documents.
pub fn is_invisible(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || CodePointSetData::new::<BidiControl>().contains(character)
        // Marks of interlinear notes.
        || matches!(character, '\u{fff9}'..='\u{fffb}')
}

/// Selectors of variants: rare forms of kanji in names are written with them.
pub fn is_variation_selector(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_drawn_is_invisible() {
        for character in [
            'a',
            '0',
            '花',
            '葛',
            '﨑',
            '\u{20b9f}',
            '・',
            '-',
            '‐',
            ' ',
            '\u{3000}',
            '゛',
        ] {
            assert!(!is_invisible(character), "{character:?}");
        }
    }

    #[test]
    fn what_is_not_drawn_is_invisible() {
        for character in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200f}',
            '\u{202e}',
            '\u{2066}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fffa}',
            '\u{e0001}',
            '\u{e0100}',
        ] {
            assert!(is_invisible(character), "{character:?}");
        }
        assert!(is_variation_selector('\u{e0101}') && !is_variation_selector('\u{200b}'));
    }
}
