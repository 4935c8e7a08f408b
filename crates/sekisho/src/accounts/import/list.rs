//! A list of accounts as a spreadsheet saves it.

use std::fmt;

use anyhow::{Context, bail};
use csv::{ByteRecord, ReaderBuilder};
use sekisho_proto::credentials::v1::ImportRow;
use sekisho_proto::credentials::v1::import_row::{Expected, State};

use crate::accounts::columns::{Column, disabled};
use crate::accounts::spreadsheet::{Encoding, unguarded};
use crate::text::clean;

/// The longest cell, in bytes. No part of an account is longer.
const LONGEST_CELL: usize = 1_024;
/// Line breaks in one record, at most: more are in a cell only because a quotation mark was never closed.
const BREAKS: usize = 10;

/// What a file says.
pub(crate) struct List {
    /// How its letters stand in it.
    pub encoding: Encoding,
    /// Titles of columns that say nothing of an account.
    pub ignored: Vec<String>,
    /// What can be read, in the order of the file.
    pub lines: Vec<Line>,
    /// What cannot.
    pub broken: Vec<Broken>,
}

/// A line of a file.
#[derive(Clone, PartialEq)]
pub(crate) struct Line {
    /// In the file, from 1; that of the titles is the first.
    pub number: u64,
    /// What it says. Never printed.
    pub row: ImportRow,
}

impl Line {
    /// The line, with what is known of its account.
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.row.expected = expected.into();
        self
    }
}

/// A line that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Broken {
    /// In the file, from 1.
    pub line: u64,
    /// In which column; `None` for the line as a whole.
    pub column: Option<Column>,
    /// A sentence.
    pub reason: String,
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Detected if it is not given.
    pub encoding: Option<Encoding>,
    /// A login id of digits alone has so many; 0 for any number.
    pub digits: usize,
}

/// Reads a file.
///
/// # Errors
/// A sentence for a file that has not the columns of a list, or whose quotation marks swallow lines.
pub(crate) fn read(file: &[u8], reading: Reading) -> anyhow::Result<List> {
    let (detected, text) = Encoding::detect(file)?;
    let encoding = reading.encoding.unwrap_or(detected);
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text);
    let titles = reader.byte_headers()?.clone();
    let (columns, ignored) = columns(&titles, encoding)?;
    let mut list = List {
        encoding,
        ignored,
        lines: Vec::new(),
        broken: Vec::new(),
    };
    let mut lines = Lines::of(text);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        let number = lines.first_of(&record);
        let breaks: usize = record.iter().map(|cell| parts(cell).count() - 1).sum();
        if breaks > BREAKS || swallows_a_line(&record, columns.len()) {
            bail!(
                "{number}行目から{}行目までが一つの欄になっています。引用符（\"）が閉じていません。",
                number + u64::try_from(breaks)?
            );
        }
        match row(&record, &columns, encoding, reading.digits) {
            Ok(row) => list.lines.push(Line { number, row }),
            Err((column, reason)) => list.broken.push(Broken {
                line: number,
                column,
                reason,
            }),
        }
    }
    Ok(list)
}

/// The lines within a cell, whatever ends them.
fn parts(cell: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(cell);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            return rest.take();
        };
        let (part, after) = text.split_at(end);
        rest = after.strip_prefix(b"\r\n").or(after.get(1..));
        Some(part)
    })
}

/// Whether a cell holds what looks like a line of the list: a quotation mark was never closed, and nobody would hear of that line.
fn swallows_a_line(record: &ByteRecord, columns: usize) -> bool {
    let is_a_line = |part: &[u8]| !part.is_empty() && part.split(|byte| *byte == b',').count() >= columns;
    record.iter().any(|cell| parts(cell).skip(1).any(is_a_line))
}

/// Counts the lines of a file: the reader's own count is before the line breaks that end the record before.
struct Lines<'a> {
    rest: &'a [u8],
    byte: u64,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            byte: 0,
            line: 1,
        }
    }

    /// The line in which a record begins. Records come in the order of the file.
    fn first_of(&mut self, record: &ByteRecord) -> u64 {
        let byte = record.position().map_or(0, csv::Position::byte);
        while let Some((first, rest)) = self.rest.split_first() {
            if self.byte >= byte && !matches!(first, b'\r' | b'\n') {
                break;
            }
            // A carriage return alone is what old spreadsheets write.
            let ends = *first == b'\n' || (*first == b'\r' && rest.first() != Some(&b'\n'));
            self.line += u64::from(ends);
            self.byte += 1;
            self.rest = rest;
        }
        self.line
    }
}

/// The column of each cell, and the titles that are none.
fn columns(titles: &ByteRecord, encoding: Encoding) -> anyhow::Result<(Vec<Option<Column>>, Vec<String>)> {
    let titles: Option<Vec<_>> = titles.iter().map(|title| encoding.decode(title)).collect();
    let titles = titles.with_context(|| {
        format!("見出しの行を {encoding} として読めません。文字コードを --encoding（utf-8 または shift_jis）で指定してください。")
    })?;
    let columns: Vec<Option<Column>> = titles.iter().map(|title| Column::titled(title)).collect();
    for (nth, column) in columns.iter().enumerate() {
        if let Some(column) = column
            && columns[..nth].contains(&Some(*column))
        {
            bail!("「{}」の列が二つあります。", column.title());
        }
    }
    if !columns.contains(&Some(Column::LoginId)) {
        bail!(
            "「{}」の列がありません（{encoding} として読んだ見出し：{}）。1行目に見出しが必要です。",
            Column::LoginId.title(),
            clean(&titles.join("、")),
        );
    }
    let unknown = titles.iter().zip(&columns).filter(|(_, column)| column.is_none());
    let ignored = unknown.map(|(title, _)| title.trim().to_owned());
    let ignored = ignored.filter(|title| !title.is_empty()).collect();
    Ok((columns, ignored))
}

type Wrong = (Option<Column>, String);

fn row(
    record: &ByteRecord,
    columns: &[Option<Column>],
    encoding: Encoding,
    digits: usize,
) -> Result<ImportRow, Wrong> {
    let long = record.iter().position(|cell| cell.len() > LONGEST_CELL);
    if let Some(nth) = long {
        let reason = "長すぎます。引用符（\"）が閉じていない可能性があります。";
        return Err((columns.get(nth).copied().flatten(), reason.to_owned()));
    }
    if record.len() != columns.len() {
        let reason = format!(
            "列の数が見出しと違います（見出しは{}列、この行は{}列）。",
            columns.len(),
            record.len()
        );
        return Err((None, reason));
    }
    let mut row = ImportRow::default();
    for (cell, column) in record.iter().zip(columns) {
        let Some(column) = *column else { continue };
        let wrong = |reason: String| (Some(column), reason);
        let Some(text) = encoding.decode(cell) else {
            return Err(wrong(format!("{encoding} として読めない文字があります。")));
        };
        set(&mut row, column, unguarded(text.trim()), digits).map_err(wrong)?;
    }
    Ok(row)
}

fn set(row: &mut ImportRow, column: Column, text: &str, digits: usize) -> Result<(), String> {
    let part = match column {
        Column::LoginId => {
            check_login(text, digits)?;
            &mut row.login_id
        }
        Column::FacilityCode => &mut row.facility_code,
        Column::Facility => &mut row.facility,
        Column::Name => &mut row.name,
        Column::Address => &mut row.address,
        Column::PasswordHash => &mut row.password_hash,
        Column::NcrSubject => &mut row.ncr_subject,
        Column::State => {
            row.set_state(match (text, disabled(text)) {
                ("", _) => State::Unspecified,
                (_, Some(false)) => State::Enabled,
                (_, Some(true)) => State::Disabled,
                (_, None) => return Err("「有効」か「無効」を入力してください。".to_owned()),
            });
            return Ok(());
        }
    };
    text.clone_into(part);
    Ok(())
}

/// What spreadsheets do to a column of digits when nobody looks.
fn check_login(text: &str, digits: usize) -> Result<(), String> {
    let is_number = !text.is_empty() && text.chars().all(char::is_numeric);
    if digits > 0 && is_number && text.chars().count() != digits {
        return Err(format!(
            "数字だけの利用者IDは{digits}桁です。表計算ソフトで先頭の0が消えた可能性があります。施設コードの先頭の0も確認してください。"
        ));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains("E+") {
        return Err(
            "表計算ソフトが利用者IDを数値に変えています。列を「文字列」にして、元のデータから入れ直してください。"
                .to_owned(),
        );
    }
    Ok(())
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("lines", &self.lines.len())
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
