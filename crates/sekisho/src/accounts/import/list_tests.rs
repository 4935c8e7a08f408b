use encoding_rs::SHIFT_JIS;

use super::*;

const TITLES: &str = "利用者ID,施設コード,施設名,氏名,メールアドレス,状態,備考\r\n";

const READING: Reading = Reading {
    encoding: None,
    digits: 8,
};

fn list(rows: &str) -> List {
    read(format!("{TITLES}{rows}").as_bytes(), READING).unwrap()
}

fn broken(rows: &str) -> Vec<(u64, Option<Column>)> {
    let list = list(rows);
    list.broken
        .iter()
        .map(|broken| (broken.line, broken.column))
        .collect()
}

#[test]
fn a_file_of_excel_is_read_as_it_stands_there() {
    let rows = "04500001,045000,架空がんセンター,登録　花子,hanako@example.com,有効,x\r\n\
                04500002,,,\"高橋, 髙﨑\",,無効,\r\n,,,,,,\r\n\r\n04500003,,,,,,\r\n";
    let (file, _, is_lossy) = SHIFT_JIS.encode(rows);
    assert!(!is_lossy);
    let (titles, ..) = SHIFT_JIS.encode(TITLES);
    let list = read(&[titles, file].concat(), READING).unwrap();
    assert_eq!(list.encoding, Encoding::ShiftJis);
    assert_eq!(list.ignored, ["備考"]);
    assert_eq!(list.broken, []);
    let numbers: Vec<u64> = list.lines.iter().map(|line| line.number).collect();
    assert_eq!(numbers, [2, 3, 6]);
    let first = ImportRow {
        login_id: "04500001".to_owned(),
        facility_code: "045000".to_owned(),
        facility: "架空がんセンター".to_owned(),
        name: "登録　花子".to_owned(),
        address: "hanako@example.com".to_owned(),
        state: State::Enabled.into(),
        ..ImportRow::default()
    };
    assert_eq!(list.lines[0].row, first);
    assert_eq!(list.lines[1].row.name, "高橋, 髙﨑");
    assert_eq!(list.lines[1].row.state(), State::Disabled);
    assert_eq!(list.lines[2].row.state(), State::Unspecified);
}

#[test]
fn each_broken_line_is_named_with_its_column() {
    let rows = "4500001,,,,,,\r\n04500002,,,,,停止,\r\n04500003,,,\r\n4.5E+06,,,,,,\r\n";
    assert_eq!(
        broken(rows),
        [
            (2, Some(Column::LoginId)),
            (3, Some(Column::State)),
            (4, None),
            (5, Some(Column::LoginId)),
        ]
    );
    let unclosed = format!("04500001,,,\"{},,,\r\n", "あ".repeat(400));
    assert_eq!(broken(&unclosed), [(2, Some(Column::Name))]);
    let long = format!("04500001,,,{},,,\r\n", "あ".repeat(400));
    assert_eq!(broken(&long), [(2, Some(Column::Name))]);
}

/// Also in a column that nobody reads: what is swallowed must not be left out without a word.
#[test]
fn a_quotation_mark_that_is_never_closed_stops_everything() {
    for column in ["\"登録 花子,,,", ",,,\"メモ"] {
        let good = "04500002,,,,,,\r\n".repeat(50);
        let file = format!("{TITLES}04500001,,,{column}\r\n{good}");
        let error = read(file.as_bytes(), READING).unwrap_err();
        assert!(error.to_string().contains("2行目から53行目まで"), "{error}");
    }
}

/// Few lines are swallowed where the mark stands near the end, or another one follows; a note of several lines is none of that.
#[test]
fn a_quotation_mark_that_swallows_a_line_stops_everything() {
    for end in ["\r\n", "\n", "\r"] {
        let titles = TITLES.replace("\r\n", end);
        let leaver = format!("04500002,,,,,無効,{end}");
        for rows in [
            format!("04500001,,,,,,\"メモ{end}{leaver}"),
            format!("04500001,,,,,,\"メモ{end}{leaver}04500003,,,,,,メモ\"{end}"),
        ] {
            let error = read(format!("{titles}{rows}").as_bytes(), READING).unwrap_err();
            assert!(error.to_string().contains("2行目から"), "{end:?}: {error}");
        }
        let note = format!("{titles}04500001,,,,,,\"四月、異動{end}{end}内線, 123\"{end}{leaver}");
        let list = read(note.as_bytes(), READING).unwrap();
        assert_eq!((list.lines.len(), list.broken.len()), (2, 0), "{end:?}");
    }
}

#[test]
fn any_number_of_digits_may_be_agreed_on() {
    let file = format!("{TITLES}4500001,,,,,,\r\n");
    let any = Reading { digits: 0, ..READING };
    assert_eq!(read(file.as_bytes(), any).unwrap().lines.len(), 1);
}

#[test]
fn titles_are_harmless_to_a_terminal() {
    let error = read("氏名\u{1b}[2J\n".as_bytes(), READING).unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
}

#[test]
fn a_line_break_inside_a_cell_counts_as_a_line() {
    let list = list("04500001,,,\"登録\n花子\",,,\r\n04500002,,,,,,\r\n");
    let numbers: Vec<u64> = list.lines.iter().map(|line| line.number).collect();
    assert_eq!(numbers, [2, 4]);
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for end in ["\r\n", "\n", "\r"] {
        let rows = ["", "04500001,,,,,,", ",,,,,,", "", "04500002,,,,,,"].join(end);
        let list = read(
            format!("{}{rows}", TITLES.replace("\r\n", end)).as_bytes(),
            READING,
        )
        .unwrap();
        let numbers: Vec<u64> = list.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [3, 6], "{end:?}");
    }
}

#[test]
fn letters_that_are_none_break_their_line_only() {
    let file = [TITLES.as_bytes(), b"04500001,,,\xe3\x81,,,\r\n04500002,,,,,,\r\n"].concat();
    let utf_8 = Reading {
        encoding: Some(Encoding::Utf8),
        ..READING
    };
    let list = read(&file, utf_8).unwrap();
    assert_eq!(list.lines.len(), 1);
    assert_eq!(list.broken[0].line, 2);
    assert_eq!(list.broken[0].column, Some(Column::Name));
}

#[test]
fn a_file_without_its_titles_is_no_list() {
    for (file, said) in [
        ("氏名\n登録 花子\n", "「利用者ID」の列がありません"),
        ("", "「利用者ID」の列がありません"),
        ("利用者ID,login_id\n", "「利用者ID」の列が二つあります"),
    ] {
        let error = read(file.as_bytes(), READING).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_line_prints_nothing_personal() {
    let list = list("04500001,045000,架空,登録 花子,hanako@example.com,,\r\n");
    let printed = format!("{list:?} {:?}", list.lines);
    for personal in ["花子", "hanako", "04500001"] {
        assert!(!printed.contains(personal), "{printed}");
    }
}
