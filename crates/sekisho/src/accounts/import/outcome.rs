//! What became of the lines of a list, for whoever sent it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use csv::Writer;
use sekisho_proto::credentials::v1::imported_row::Change;

use super::calls::Answered;
use super::list::{Broken, Line};
use crate::accounts::columns::Column;
use crate::accounts::spreadsheet::{BOM, guarded};
use crate::text::{clean, table};

/// Broken lines that are printed, at most: a file tells of all.
const PRINTED: usize = 100;

/// Lines that were or can be followed, and those that cannot.
#[derive(Default)]
pub(crate) struct Outcome {
    /// With their changes, in the order of the file.
    pub followed: Vec<(Line, Vec<Change>)>,
    /// In the order of the file.
    pub broken: Vec<Broken>,
}

impl Outcome {
    /// Sorts out what credentials answered, beside the lines that could not even be read.
    pub fn of(answered: Vec<Answered>, unreadable: Vec<Broken>) -> Self {
        let mut outcome = Self {
            followed: Vec::new(),
            broken: unreadable,
        };
        let mut first: HashMap<String, u64> = HashMap::new();
        for (mut line, answer) in answered {
            let changes = answer.changes().collect();
            if !answer.refusal.is_empty() {
                outcome.broken.push(refused(line.number, &answer.refusal));
            } else if let Some(earlier) = first.get(&answer.login_id) {
                let reason = format!(
                    "{earlier}行目と同じ利用者IDです（--skip-broken では、{earlier}行目だけを取り込みます）。"
                );
                outcome.broken.push(Broken {
                    line: line.number,
                    column: Some(Column::LoginId),
                    reason,
                });
            } else {
                first.insert(answer.login_id.clone(), line.number);
                line.row.login_id = answer.login_id;
                outcome.followed.push((line, changes));
            }
        }
        outcome.broken.sort();
        outcome
    }

    /// How many lines come to what.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn summarize(&self, output: &mut impl Write) -> io::Result<()> {
        let mut counts: BTreeMap<Change, usize> = BTreeMap::new();
        for change in self.followed.iter().flat_map(|(_, changes)| changes) {
            *counts.entry(*change).or_default() += 1;
        }
        let unchanged = self.followed.iter().filter(|(_, changes)| changes.is_empty());
        let counted = counts.into_iter().map(|(change, count)| (word(change), count));
        let all = counted.chain([
            ("変更なし", unchanged.count()),
            ("取り込めない行", self.broken.len()),
        ]);
        let rows: Vec<[String; 2]> = all
            .map(|(label, count)| [format!("  {label}"), format!("{count:>8}")])
            .collect();
        table(&rows, output)
    }

    /// Each broken line with its column and the reason.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn name_broken(&self, output: &mut impl Write) -> io::Result<()> {
        if self.broken.is_empty() {
            return Ok(());
        }
        let titles = ["  行", "列", "理由"].map(str::to_owned);
        let printed = self.broken.iter().take(PRINTED);
        let rows: Vec<[String; 3]> = std::iter::once(titles)
            .chain(printed.map(|broken| {
                let column = broken.column.map_or("–", Column::title);
                [
                    format!("  {}", broken.line),
                    column.to_owned(),
                    clean(&broken.reason),
                ]
            }))
            .collect();
        table(&rows, output)?;
        match self.broken.len().saturating_sub(PRINTED) {
            0 => Ok(()),
            more => writeln!(
                output,
                "  ほか{more}行（--report で全行の結果をファイルに書けます）"
            ),
        }
    }

    /// Every line with what became of it, for a spreadsheet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_report(&self, output: &mut impl Write) -> anyhow::Result<()> {
        let mut lines: BTreeMap<u64, [String; 4]> = BTreeMap::new();
        for (line, changes) in &self.followed {
            let words: Vec<&str> = changes.iter().map(|change| word(*change)).collect();
            let result = if words.is_empty() {
                "変更なし".to_owned()
            } else {
                words.join("、")
            };
            let login = guarded(&line.row.login_id).into_owned();
            lines.insert(line.number, [login, result, String::new(), String::new()]);
        }
        for broken in &self.broken {
            let column = broken.column.map_or("", Column::title).to_owned();
            let result = "取り込めない".to_owned();
            lines.insert(
                broken.line,
                [String::new(), result, column, broken.reason.clone()],
            );
        }
        output.write_all(BOM)?;
        let mut writer = Writer::from_writer(output);
        writer.write_record(["行", "利用者ID", "結果", "列", "理由"])?;
        for (number, [login, result, column, reason]) in lines {
            writer.write_record([&number.to_string(), &login, &result, &column, &reason])?;
        }
        Ok(writer.flush()?)
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Unspecified => "不明な変更",
        Change::Registered => "新規登録",
        Change::Transferred => "施設の異動（セッション終了）",
        Change::Renamed => "氏名・施設名の変更",
        Change::AddressChanged => "メールアドレスの変更（変更前にお知らせ）",
        Change::Disabled => "無効化（セッション終了）",
        Change::Enabled => "有効化",
        Change::Linked => "NCRアカウントへの結び付け（セッション終了）",
    }
}

/// What a reason of credentials means for whoever filled in the list.
fn refused(line: u64, reason: &str) -> Broken {
    let (column, text) = match reason {
        "LOGIN_ID_INVALID" => (Column::LoginId, "空か、長すぎるか、使えない文字があります。"),
        "ACCOUNT_EXISTS" => (
            Column::LoginId,
            "取り込みの途中で、別の管理者が登録しました。もう一度実行すると、登録済みのアカウントと照合します。",
        ),
        "ACCOUNT_UNKNOWN" => (
            Column::LoginId,
            "取り込みの途中で、別の管理者が消去しました。この行を一覧から除いてください（残すと、新しい利用者として登録されます）。",
        ),
        "FACILITY_CODE_INVALID" => (
            Column::FacilityCode,
            "半角の英数字とハイフンで、32文字以内にしてください。",
        ),
        "FACILITY_CODE_MISSING" => (
            Column::FacilityCode,
            "新しい利用者の行と、施設名を書いた行には必要です。",
        ),
        "FACILITY_INVALID" => (Column::Facility, "長すぎるか、使えない文字があります。"),
        "FACILITY_MISSING" => (Column::Facility, "施設コードのある行には必要です。"),
        "LOGIN_ID_REPEATED" => (Column::LoginId, "ほかの行と同じ利用者IDです。"),
        "NAME_INVALID" => (Column::Name, "長すぎるか、使えない文字があります。"),
        "NAME_MISSING" => (Column::Name, "新しい利用者には必要です。"),
        "ADDRESS_INVALID" => (Column::Address, "メールアドレスの形式が正しくありません。"),
        "PASSWORD_HASH_INVALID" => (
            Column::PasswordHash,
            "argon2id、bcrypt、PBKDF2、scrypt のハッシュではないか、計算量が許容範囲外です。",
        ),
        "PASSWORD_HASH_DEAR" => (
            Column::PasswordHash,
            "照合に時間がかかりすぎるハッシュです（応答の時間から登録の有無が分かるため受け付けません）。運用担当者に SEKISHO_CREDENTIALS_DENIAL_TIME の見直しを依頼してください。",
        ),
        "NCR_SUBJECT_INVALID" => (
            Column::NcrSubject,
            "半角の英数字と記号で、255文字以内にしてください。",
        ),
        "NCR_SUBJECT_TAKEN" => (Column::NcrSubject, "別のアカウントに結び付いています。"),
        "PROVIDER_MISSING" => (
            Column::NcrSubject,
            "NCRアカウントの認証サービスが設定されていません。運用担当者に SEKISHO_CREDENTIALS_NCR_ISSUER の設定を依頼してください。",
        ),
        "FORMER_SYSTEM_MISSING" => (
            Column::PasswordHash,
            "前のシステムに問い合わせる設定がありません。運用担当者に SEKISHO_CREDENTIALS_FORMER_TOKEN_URL の設定を依頼してください。",
        ),
        other => {
            return Broken {
                line,
                column: None,
                reason: format!("認証サービスが受け付けませんでした（{other}）。"),
            };
        }
    };
    Broken {
        line,
        column: Some(column),
        reason: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sekisho_proto::credentials::v1::{ImportRow, ImportedRow};

    use super::*;

    fn answered(number: u64, login: &str, answer: ImportedRow) -> Answered {
        let row = ImportRow {
            login_id: login.to_owned(),
            ..ImportRow::default()
        };
        (Line { number, row }, answer)
    }

    fn done(login: &str, changes: &[Change]) -> ImportedRow {
        ImportedRow {
            login_id: login.to_owned(),
            changes: changes.iter().map(|change| (*change).into()).collect(),
            refusal: String::new(),
        }
    }

    fn outcome() -> Outcome {
        let nameless = ImportedRow {
            refusal: "NAME_MISSING".to_owned(),
            ..ImportedRow::default()
        };
        let unreadable = Broken {
            line: 4,
            column: None,
            reason: "列が7あるはずが、3あります。".to_owned(),
        };
        let answers = vec![
            answered(
                2,
                "０４５００００１",
                done("04500001", &[Change::Registered, Change::Disabled]),
            ),
            answered(3, "04500002", done("04500002", &[])),
            answered(5, "04500001", done("04500001", &[Change::Registered])),
            answered(6, "04500003", nameless),
        ];
        Outcome::of(answers, vec![unreadable])
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut output = Vec::new();
        write(&mut output);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn one_person_is_not_two_lines() {
        let outcome = outcome();
        let followed: Vec<&str> = outcome
            .followed
            .iter()
            .map(|(line, _)| line.row.login_id.as_str())
            .collect();
        assert_eq!(followed, ["04500001", "04500002"]);
        let broken: Vec<u64> = outcome.broken.iter().map(|broken| broken.line).collect();
        assert_eq!(broken, [4, 5, 6]);
        assert!(outcome.broken[1].reason.starts_with("2行目と同じ利用者IDです"));
        assert_eq!(outcome.broken[2].column, Some(Column::Name));
    }

    #[test]
    fn the_summary_counts_each_kind_of_change() {
        let text = written(|output| outcome().summarize(output).unwrap());
        let counts: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            counts,
            [
                ["新規登録", "1"],
                ["無効化（セッション終了）", "1"],
                ["変更なし", "1"],
                ["取り込めない行", "3"]
            ]
        );
    }

    #[test]
    fn broken_lines_are_named_and_not_all_at_once() {
        let text = written(|output| outcome().name_broken(output).unwrap());
        assert!(
            text.contains("6   氏名      新しい利用者には必要です。"),
            "{text}"
        );
        let many = (0..150).map(|line| refused(line, "NAME_MISSING")).collect();
        let text = written(|output| Outcome::of(Vec::new(), many).name_broken(output).unwrap());
        assert_eq!(text.lines().count(), 102);
        assert!(text.contains("ほか50行"), "{text}");
    }

    #[test]
    fn the_report_has_every_line() {
        let text = written(|output| outcome().write_report(output).unwrap());
        assert_eq!(
            text,
            "\u{feff}行,利用者ID,結果,列,理由\n\
             2,04500001,新規登録、無効化（セッション終了）,,\n\
             3,04500002,変更なし,,\n\
             4,,取り込めない,,列が7あるはずが、3あります。\n\
             5,,取り込めない,利用者ID,2行目と同じ利用者IDです（--skip-broken では、2行目だけを取り込みます）。\n\
             6,,取り込めない,氏名,新しい利用者には必要です。\n"
        );
    }
}
