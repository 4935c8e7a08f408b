//! Text as spreadsheets write and read it.

use std::borrow::Cow;
use std::fmt;

use anyhow::bail;
use clap::ValueEnum;
use encoding_rs::{SHIFT_JIS, UTF_8};

/// Begins a UTF-8 file that Excel is to read as such.
pub const BOM: &[u8] = b"\xef\xbb\xbf";
/// A cell that begins like this is taken for a formula.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// How letters stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Encoding {
    /// With a byte order mark or without.
    #[value(name = "utf-8")]
    Utf8,
    /// As Excel for Windows saves CSV: Windows code page 932.
    #[value(name = "shift_jis")]
    ShiftJis,
}

impl Encoding {
    /// What a file is most likely in, and its text without a byte order mark.
    ///
    /// # Errors
    /// A sentence for a file in UTF-16, which no spreadsheet calls CSV.
    pub fn detect(file: &[u8]) -> anyhow::Result<(Self, &[u8])> {
        if file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff") {
            bail!(
                "UTF-16 のファイルは読み込めません。「CSV UTF-8」または「CSV」の形式で保存し直してください。"
            );
        }
        Ok(match file.strip_prefix(BOM) {
            Some(text) => (Self::Utf8, text),
            None if std::str::from_utf8(file).is_ok() => (Self::Utf8, file),
            None => (Self::ShiftJis, file),
        })
    }

    /// A cell as text; `None` if its bytes are no letters.
    pub fn decode(self, cell: &[u8]) -> Option<Cow<'_, str>> {
        let encoding = match self {
            Self::Utf8 => UTF_8,
            Self::ShiftJis => SHIFT_JIS,
        };
        encoding.decode_without_bom_handling_and_without_replacement(cell)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::ShiftJis => "Shift_JIS",
        })
    }
}

/// A cell that no spreadsheet calculates: an apostrophe stands before what looks like a formula.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    if cell.trim_start_matches('\'').starts_with(FORMULA) {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

/// A cell without the apostrophe of [`guarded`].
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_say() {
        let utf_8 = "利用者ID".as_bytes();
        assert_eq!(Encoding::detect(utf_8).unwrap(), (Encoding::Utf8, utf_8));
        let marked = [BOM, utf_8].concat();
        assert_eq!(Encoding::detect(&marked).unwrap(), (Encoding::Utf8, utf_8));
        let broken = [BOM, b"\xff"].concat();
        assert_eq!(Encoding::detect(&broken).unwrap().0, Encoding::Utf8);
        let (shift_jis, ..) = SHIFT_JIS.encode("利用者ID");
        assert_eq!(Encoding::detect(&shift_jis).unwrap().0, Encoding::ShiftJis);
        assert!(Encoding::detect(b"\xff\xfeA\0").is_err());
    }

    #[test]
    fn the_rare_letters_of_excel_are_read_and_broken_ones_are_not() {
        // 髙, 﨑 and ① stand in code page 932 only, and not in plain Shift_JIS.
        let cell = b"\xfb\xfc\xed\x95\x87\x40";
        assert_eq!(Encoding::ShiftJis.decode(cell).unwrap(), "髙﨑①");
        assert_eq!(Encoding::ShiftJis.decode(b"\x81"), None);
        assert_eq!(Encoding::Utf8.decode(b"\xe3\x81"), None);
    }

    #[test]
    fn no_cell_is_a_formula_and_each_comes_back_as_it_was() {
        for cell in ["=cmd|' /C calc'!A0", "+81", "-", "@", "'=1", "''=1"] {
            assert!(guarded(cell).starts_with('\''), "{cell}");
            assert_eq!(unguarded(&guarded(cell)), cell);
        }
        for cell in ["", "登録 花子", "'", "'花子"] {
            assert_eq!(guarded(cell), cell);
            assert_eq!(unguarded(cell), cell);
        }
    }
}
