//! Japanese on a page in another language.

use askama::filters::{Escaper, Html, Safe};

use super::{JAPANESE, Texts};

/// A text as HTML, its Japanese marked where the page is in another language: screen readers then change the voice, and browsers the
/// font (WCAG 2.2, 3.1.2).
pub fn marked(texts: &Texts, text: &str) -> Safe<String> {
    if texts.lang == JAPANESE.lang {
        return Safe(escaped(text));
    }
    let mut japanese = text.char_indices().filter(|(_, one)| is_japanese(*one));
    let Some((first, one)) = japanese.next() else {
        return Safe(escaped(text));
    };
    let (last, one) = japanese.next_back().unwrap_or((first, one));
    let end = last + one.len_utf8();
    let (before, within, after) = (&text[..first], &text[first..end], &text[end..]);
    Safe(format!(
        "{}<span lang=\"{}\">{}</span>{}",
        escaped(before),
        JAPANESE.lang,
        escaped(within),
        escaped(after)
    ))
}

/// Kana, ideographs with their punctuation, and forms of full and half width.
fn is_japanese(one: char) -> bool {
    matches!(one, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    // A string takes whatever is written.
    let _ = Html.write_escaped_str(&mut html, text);
    html
}

#[cfg(test)]
mod tests {
    use super::super::ENGLISH;
    use super::*;

    #[test]
    fn japanese_within_english_is_marked_from_its_first_character_to_its_last() {
        let shown = |text| marked(&ENGLISH, text).0;
        assert_eq!(shown("plain & simple"), "plain &#38; simple");
        assert_eq!(
            shown("see (\u{300e}9章 お困り\u{300f})."),
            "see (<span lang=\"ja\">\u{300e}9章 お困り\u{300f}</span>)."
        );
        assert_eq!(shown("\u{20bb7}"), "<span lang=\"ja\">\u{20bb7}</span>");
        assert_eq!(shown("第1<b>病院"), "<span lang=\"ja\">第1&#60;b&#62;病院</span>");
    }

    #[test]
    fn on_a_japanese_page_nothing_is_marked() {
        assert_eq!(marked(&JAPANESE, "9章 <お困り>").0, "9章 &#60;お困り&#62;");
    }
}
