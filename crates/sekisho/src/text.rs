//! How values are written for people.

use std::fmt::Write as _;
use std::io::{self, Write};

use sekisho_service::text::{is_invisible, is_variation_selector};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};

const JST: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");

const MINUTE: &[BorrowedFormatItem<'_>] =
    format_description!("[month padding:none]月[day padding:none]日 [hour]:[minute]");

/// A moment in Japan's time, to the millisecond.
pub fn jst(moment: OffsetDateTime) -> String {
    moment.to_offset(offset!(+9)).format(JST).unwrap_or_default()
}

/// A moment as people on the telephone say it: the day and the minute, by Japan's time.
pub fn minute(moment: OffsetDateTime) -> String {
    moment.to_offset(offset!(+9)).format(MINUTE).unwrap_or_default()
}

/// The day of a moment, by Japan's time.
pub fn day(moment: OffsetDateTime) -> String {
    moment.to_offset(offset!(+9)).date().to_string()
}

/// The beginning of a digest: enough to compare by eye, not enough to look it up with.
pub fn digest(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "–".to_owned();
    }
    let start = bytes.iter().take(4).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    start + "…"
}

/// Text from the log, harmless to a terminal: control characters and those that turn the direction of writing are
/// written as their escapes.
pub fn clean(text: &str) -> String {
    escaped(text, |clean, c| clean.extend(c.escape_unicode()))
}

/// JSON that is harmless to a terminal: what [`clean`] escapes stands as JSON's own escapes, so that a program reads the same.
pub fn clean_json(value: &serde_json::Value) -> String {
    escaped(&value.to_string(), |clean, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(clean, "\\u{unit:04x}");
        }
    })
}

fn escaped(text: &str, escape: impl Fn(&mut String, char)) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_format(c) {
            escape(&mut clean, c);
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Columns of a terminal that a text takes: East Asian wide characters take two.
pub fn width(text: &str) -> usize {
    let columns = |c| match c {
        _ if is_variation_selector(c) => 0,
        _ if is_wide(c) => 2,
        _ => 1,
    };
    text.chars().map(columns).sum()
}

/// A text with spaces up to a width.
pub fn padded(text: &str, columns: usize) -> String {
    let spaces = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(spaces))
}

/// Writes rows with their columns below each other.
///
/// # Errors
/// When they cannot be written.
pub fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]], output: &mut impl Write) -> io::Result<()> {
    let widest: [usize; COLUMNS] = std::array::from_fn(|nth| {
        let widths = rows.iter().map(|row| width(&row[nth]));
        widths.max().unwrap_or_default()
    });
    for row in rows {
        let columns = row.iter().zip(widest);
        let columns: Vec<_> = columns.map(|(text, widest)| padded(text, widest)).collect();
        writeln!(output, "{}", columns.join("  ").trim_end())?;
    }
    Ok(())
}

/// Names are written with selectors of variants, and harm nobody.
fn is_format(c: char) -> bool {
    is_invisible(c) && !is_variation_selector(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_japans() {
        let moment = OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(1);
        assert_eq!(jst(moment), "1970-01-01 09:00:00.001");
        assert_eq!(minute(moment), "1月1日 09:00");
        let night = OffsetDateTime::UNIX_EPOCH + time::Duration::hours(15);
        assert_eq!(day(night), "1970-01-02");
    }

    #[test]
    fn a_digest_is_never_written_in_full() {
        assert_eq!(digest(&[0xab; 32]), "abababab…");
        assert_eq!(digest(&[]), "–");
    }

    #[test]
    fn nothing_from_the_log_moves_the_cursor() {
        assert_eq!(clean("a\u{1b}[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\u{a}\\u{202e}c");
        assert_eq!(clean("a\u{61c}b"), "a\\u{61c}b");
        for text in ["施設 04500001", "葛\u{e0100}城"] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn json_moves_no_cursor_either_and_is_read_as_it_was() {
        let value = serde_json::json!({ "name": "見本\u{1b}\u{9b}\u{7f}\u{202e}\u{e0001}七緒" });
        let text = clean_json(&value);
        assert_eq!(text, r#"{"name":"見本\u001b\u009b\u007f\u202e\udb40\udc01七緒"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["封印", "a"], ["x", "bc"]].map(|row| row.map(str::to_owned));
        let mut output = Vec::new();
        table(&rows, &mut output).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), "封印  a\nx     bc\n");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("封印 ok"), 7);
        assert_eq!(width("葛\u{e0100}城"), 4);
        assert_eq!(padded("封印", 6), "封印  ");
        assert_eq!(padded("封印", 3), "封印");
    }
}
