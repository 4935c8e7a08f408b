//! `sekisho accounts import`: a list as Excel saves it, and a file of passwords.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use encoding_rs::SHIFT_JIS;
use sekisho_dev::{Stack, StackOptions};
use sekisho_tests::visitor::Visitor;

use super::terminal::{accounts, done, refused};

/// Accounts of the demonstration.
const SEEDED: usize = 3;
/// For a bounded wait.
const PATIENCE: Duration = Duration::from_mins(1);

fn stack(name: &str) -> Result<Stack> {
    Stack::start(&StackOptions {
        name: name.to_owned(),
        ..StackOptions::default()
    })
}

/// The column at fault, and the reason or a part of it.
type Fault = (&'static str, &'static str);

/// A list of `rows` lines in Shift_JIS, every so manieth of which cannot be followed; and those, with what is wrong.
fn list(rows: usize, every: usize) -> (Vec<u8>, BTreeMap<usize, Fault>) {
    let mut file = shift_jis("利用者ID,施設コード,施設名,氏名,電子メール アドレス,状態\r\n");
    let mut at_fault = BTreeMap::new();
    for number in 0..rows {
        let login = format!("{:08}", 50_000_000 + number);
        let whole = format!("{login},050000,架空病院,見本　髙﨑{number},p{number}@example.com,有効");
        let is_broken = number % every == every - 1;
        let (line, fault) = match number / every % 8 {
            _ if !is_broken => (shift_jis(&whole), None),
            0 => (shift_jis(&whole[1..]), Some(("利用者ID", "8桁です"))),
            1 => (
                shift_jis(&whole.replace("見本　髙﨑", "\u{7}")),
                Some(("氏名", "使えない文字")),
            ),
            2 => (
                shift_jis(&whole.replace('@', "＠")),
                Some(("メールアドレス", "形式が正しくありません")),
            ),
            3 => (
                shift_jis(&whole.replace("有効", "停止")),
                Some(("状態", "「有効」か「無効」")),
            ),
            4 => (
                shift_jis(&whole.replace("050000", "架空")),
                Some(("施設コード", "半角の英数字とハイフン")),
            ),
            5 => (
                shift_jis(&whole.replace(",有効", "")),
                Some(("", "列の数が見出しと違います")),
            ),
            6 => (
                shift_jis(&whole.replace(&login, "50000000")),
                Some(("利用者ID", "同じ利用者ID")),
            ),
            _ => {
                // A letter of which the second half is missing.
                let (before, after) = whole.split_once("架空病院").unwrap_or_default();
                (
                    [shift_jis(before), b"\x8b".to_vec(), shift_jis(after)].concat(),
                    Some(("施設名", "読めない文字")),
                )
            }
        };
        file.extend(line);
        file.extend(b"\r\n");
        if let Some(fault) = fault {
            at_fault.insert(number + 2, fault);
        }
    }
    (file, at_fault)
}

fn shift_jis(text: &str) -> Vec<u8> {
    SHIFT_JIS.encode(text).0.into_owned()
}

/// The lines that a report calls broken, with the column at fault and the reason.
fn broken(report: &Path) -> Result<BTreeMap<usize, (String, String)>> {
    let text = fs::read_to_string(report)?;
    let mut broken = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [number, _, result, column, reason] = cells[..] else {
            bail!("{line}");
        };
        if result == "取り込めない" {
            broken.insert(number.parse()?, (column.to_owned(), reason.to_owned()));
        }
    }
    Ok(broken)
}

fn assert_reported(report: &Path, at_fault: &BTreeMap<usize, Fault>) -> Result<()> {
    let broken = broken(report)?;
    assert!(broken.keys().eq(at_fault.keys()), "{broken:?}");
    for ((column, reason), expected) in broken.values().zip(at_fault.values()) {
        assert_eq!(column, expected.0, "{reason}");
        assert!(reason.contains(expected.1), "{column}: {reason}");
    }
    Ok(())
}

fn registered(stack: &Stack) -> Result<usize> {
    Ok(logins(stack)?.len())
}

fn logins(stack: &Stack) -> Result<Vec<String>> {
    let listed = done(stack, &["list", "--json"])?;
    let login = |line: &str| -> Result<String> {
        let account: serde_json::Value = serde_json::from_str(line)?;
        Ok(account["login_id"].as_str().context("no login id")?.to_owned())
    };
    listed.lines().map(login).collect()
}

/// Reported exactly, refused as a whole, and imported without the broken lines when told to; the same again does nothing.
fn import(stack: &Stack, rows: usize, every: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, at_fault) = list(rows, every);
    let [list, report] = ["list.csv", "report.csv"].map(|name| folder.path().join(name));
    fs::write(&list, file)?;
    let [list, report_path] = [&list, &report].map(|path| path.to_str().context("no path"));
    let arguments = ["import", list?, "--report", report_path?];
    let with = |more: &[&'static str]| [&arguments[..], more].concat();

    let compared = refused(stack, &arguments)?;
    let said = format!("取り込めない行が{}行ある", at_fault.len());
    assert!(compared.contains(&said), "{compared}");
    assert_reported(&report, &at_fault)?;
    assert!(refused(stack, &with(&["--apply"]))?.contains("何も変更していません"));
    assert_eq!(registered(stack)?, SEEDED);

    let told_to = with(&["--apply", "--skip-broken"]);
    let good = rows - at_fault.len();
    let begun = Instant::now();
    assert_eq!(count(&done(stack, &told_to)?, "新規登録")?, good);
    println!("{good} of {rows} rows in {:?}", begun.elapsed());
    assert_reported(&report, &at_fault)?;
    assert_eq!(registered(stack)?, SEEDED + good);
    let again = done(stack, &told_to)?;
    assert_eq!(count(&again, "変更なし")?, good);
    assert!(!again.contains("新規登録"), "{again}");
    Ok(())
}

/// The number beside a word, where it stands last.
fn count(printed: &str, word: &str) -> Result<usize> {
    let mut lines = printed.lines().rev();
    let line = lines.find(|line| line.trim_start().starts_with(word));
    let number = line.and_then(|line| line.split_whitespace().last());
    Ok(number.with_context(|| printed.to_owned())?.parse()?)
}

#[test]
fn a_list_of_excel_is_reported_exactly_and_imported_when_told_to() -> Result<()> {
    import(&stack("import")?, 400, 25)
}

#[test]
fn in_april_many_are_transferred_and_disabled_at_once() -> Result<()> {
    let stack = stack("import-april")?;
    let folder = tempfile::tempdir()?;
    let list = folder.path().join("april.csv");
    fs::write(
        &list,
        "利用者ID,施設コード,施設名,状態\n04500001,131000,東京見本病院,\n04500002,,,無効\n",
    )?;
    let mut visitor = Visitor::new(&stack.portal_url());
    let top = visitor.sign_in(&stack)?;
    assert!(top.body.contains("見本病院"), "{}", top.body);
    let printed = done(&stack, &["import", list.to_str().context("no path")?, "--apply"])?;
    assert_eq!(count(&printed, "施設の異動")?, 1);
    assert_eq!(count(&printed, "無効化")?, 1);
    let shown = done(&stack, &["show", "04500001"])?;
    assert!(shown.contains("東京見本病院（131000）"), "{shown}");
    assert!(done(&stack, &["show", "04500002"])?.contains("無効"));
    // The old facility's page is gone with the session that opened it.
    let deadline = Instant::now() + PATIENCE;
    while visitor.get("/top")?.body.contains("クイックアクセス") {
        assert!(Instant::now() < deadline, "the session lives on");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Logins and passwords of a file that is handed out.
fn handed_out(file: &Path) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(file)?;
    let pair = |line: &str| -> Option<(String, String)> {
        let (login, _) = line.split_once(',')?;
        let (_, password) = line.rsplit_once(',')?;
        Some((login.to_owned(), password.to_owned()))
    };
    text.lines()
        .skip(1)
        .map(|line| pair(line).context("half a line"))
        .collect()
}

/// Whoever was registered before the plug was pulled has the password that the file says, and so has everybody else.
#[test]
fn an_import_that_is_killed_goes_on_with_the_same_passwords() -> Result<()> {
    const ROWS: usize = 400;
    let stack = stack("import-killed")?;
    let folder = tempfile::tempdir()?;
    let (file, at_fault) = list(ROWS, ROWS + 1);
    assert!(at_fault.is_empty());
    let [list, passwords] = ["list.csv", "passwords.csv"].map(|name| folder.path().join(name));
    fs::write(&list, file)?;
    let [list, passwords_path] = [&list, &passwords].map(|path| path.to_str().context("no path"));
    let arguments = ["import", list?, "--apply", "--initial-passwords", passwords_path?];

    let mut killed = accounts(&stack, &arguments)?.spawn()?;
    let deadline = Instant::now() + PATIENCE;
    while registered(&stack)? == SEEDED {
        assert!(Instant::now() < deadline, "nobody was registered");
    }
    killed.kill()?;
    killed.wait()?;
    let before = handed_out(&passwords)?;
    let registered_before = logins(&stack)?;
    for login in registered_before.iter().filter(|login| login.starts_with("5000")) {
        assert!(
            before.iter().any(|(known, _)| known == login),
            "{login} has a password that nobody knows"
        );
    }
    assert!(
        registered_before.len() < SEEDED + ROWS,
        "the kill came too late to show anything"
    );
    done(&stack, &arguments)?;

    assert_eq!(registered(&stack)?, SEEDED + ROWS);
    let after = handed_out(&passwords)?;
    assert_eq!(after.len(), ROWS);
    assert_eq!(after[..before.len()], before);
    let logins: std::collections::BTreeSet<&str> = after.iter().map(|(login, _)| login.as_str()).collect();
    assert_eq!(logins.len(), ROWS);
    for (login, password) in [&after[0], &after[ROWS - 1]] {
        let mut visitor = Visitor::new(&stack.portal_url());
        let page = visitor.get("/signin")?;
        let fields = [("user_id", login.as_str()), ("password", password)];
        let page = visitor.send(&page, "/signin", &fields)?;
        assert!(page.body.contains("メールアドレス確認"), "{}", page.body);
    }
    Ok(())
}

mod long_import {
    use super::*;

    #[test]
    #[ignore = "long tier: large data"]
    fn a_hundred_thousand_rows_are_reported_exactly_and_imported_when_told_to() -> Result<()> {
        import(&stack("import-large")?, 100_000, 2_000)
    }
}
