//! What the help desk sees of somebody who is stuck, and the lists that facilities go through.

use std::fs;

use anyhow::{Context, Result};
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_tests::visitor::{Page, Visitor};
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD, mail};

use super::terminal::{done, refused};

fn stack(name: &str) -> Result<Stack> {
    Stack::start(&StackOptions {
        name: name.to_owned(),
        ..StackOptions::default()
    })
}

fn type_password(visitor: &mut Visitor, login: &str, password: &str) -> Result<Page> {
    let page = visitor.get("/signin")?;
    visitor.send(&page, "/signin", &[("user_id", login), ("password", password)])
}

/// The enquiry number of an error page.
fn enquiry(page: &Page) -> Result<&str> {
    let mut words = page.body.split(|c: char| !c.is_ascii_digit() && c != '-');
    let number = words.find(|word| word.len() == 14 && word.matches('-').count() == 2);
    number.with_context(|| format!("no number in {}", page.body))
}

#[test]
fn whoever_rings_is_found_by_the_number_on_the_page_and_told_what_to_do() -> Result<()> {
    let mut stack = stack("help-desk")?;
    let mut visitor = Visitor::new(&stack.portal_url());
    type_password(&mut visitor, LOGIN, "wrong")?;
    let told = done(&stack, &["explain", LOGIN])?;
    assert!(told.contains("入力されたパスワードは違っていました"), "{told}");

    let page = type_password(&mut visitor, LOGIN, PASSWORD)?;
    let page = visitor.send(&page, "/signin/email/send", &[])?;
    mail::wait_for(&stack.mailbox_url(), ADDRESS, 1)?;
    let page = visitor.send(&page, "/signin/email/verify", &[("code", "000000")])?;
    assert_eq!(page.status, 200);
    stack.kill(Service::Otp, 0)?;
    let down = visitor.get("/signin/email")?;
    assert_eq!(down.status, 503);
    let told = done(&stack, &["explain", "--enquiry", enquiry(&down)?])?;
    for expected in [
        "見本 一郎",
        "送信済みです（照合番号",
        enquiry(&down)?,
        "確認済みでないブラウザでパスワードが一致しました",
        "応答 250",
        "確認コードが違いました（あと4回）",
        "確認済みでないブラウザでパスワードが違いました",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    // A page that belongs to no flow.
    let nowhere = Visitor::new(&stack.portal_url()).get("/nowhere")?;
    let unknown = refused(&stack, &["explain", "--enquiry", enquiry(&nowhere)?])?;
    assert!(unknown.contains("ENQUIRY_UNKNOWN"), "{unknown}");
    assert!(refused(&stack, &["explain", "--enquiry", "12"])?.contains("ENQUIRY_INVALID"));

    type_password(&mut visitor, "04500099", PASSWORD)?;
    let told = done(&stack, &["explain", "04500099"])?;
    assert!(
        told.contains("アカウントはありません") && told.contains("もう一度読み上げて"),
        "{told}"
    );
    Ok(())
}

/// C-104.
#[test]
fn a_facility_reviews_its_accounts_and_what_is_exported_is_imported_as_it_was() -> Result<()> {
    let stack = stack("review")?;
    Visitor::new(&stack.portal_url()).sign_in(&stack)?;
    // Who knows a password and has no mail uses nothing.
    type_password(&mut Visitor::new(&stack.portal_url()), "13100001", PASSWORD)?;
    done(&stack, &["disable", "04500002"])?;
    let reviewed = done(&stack, &["review", "--facility", "045000"])?;
    let line = |login: &str| -> Result<&str> {
        let mut lines = reviewed.lines();
        lines
            .find(|line| line.contains(login))
            .with_context(|| reviewed.clone())
    };
    assert!(line("04500002")?.ends_with("無効"), "{reviewed}");
    assert!(
        reviewed.contains("2件：利用あり1、365日以上利用なし0、一度も利用なし0、無効1"),
        "{reviewed}"
    );
    let all = done(&stack, &["review", "--csv"])?;
    assert!(
        all.lines()
            .any(|line| line.contains("13100001") && line.ends_with("一度も利用なし")),
        "{all}"
    );

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("accounts.csv");
    fs::write(&file, done(&stack, &["export"])?)?;
    let printed = done(&stack, &["import", file.to_str().context("no path")?, "--apply"])?;
    let unchanged = printed.lines().rev().find(|line| line.contains("変更なし"));
    assert!(
        unchanged.is_some_and(|line| line.trim_end().ends_with(" 3")),
        "{printed}"
    );
    assert!(done(&stack, &["show", "04500002"])?.contains("無効"));
    Ok(())
}
