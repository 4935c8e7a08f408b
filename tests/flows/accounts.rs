//! `sekisho accounts`, from the making of an account to its end.

use std::process::Command;

use anyhow::{Context, Result};
use sekisho_dev::{Stack, StackOptions};
use sekisho_tests::mail;
use sekisho_tests::visitor::{Page, Visitor};
use serde_json::Value;

use super::terminal::{done, refused};

const LOGIN: &str = "04500077";
const ADDRESS: &str = "nanao@example.com";

fn sign_in(stack: &Stack, password: &str) -> Result<Page> {
    let mut visitor = Visitor::new(&stack.portal_url());
    let page = visitor.get("/signin")?;
    visitor.send(&page, "/signin", &[("user_id", LOGIN), ("password", password)])
}

fn shown(stack: &Stack) -> Result<Value> {
    Ok(serde_json::from_str(&done(stack, &["show", LOGIN, "--json"])?)?)
}

#[test]
fn an_account_is_made_shown_changed_and_erased_from_a_terminal() -> Result<()> {
    let stack = Stack::start(&StackOptions {
        name: "accounts".to_owned(),
        ..StackOptions::default()
    })?;
    let add = [
        "add",
        LOGIN,
        "--facility-code",
        "045000",
        "--facility",
        "見本病院",
        "--name",
        "見本 七緒",
        "--initial-password",
    ];
    let added = done(&stack, &add)?;
    let (_, password) = added.split_once("配布するパスワード：").context("no password")?;
    let password = password.trim();
    assert!(refused(&stack, &add)?.contains("ACCOUNT_EXISTS"));

    let page = sign_in(&stack, password)?;
    assert!(
        page.body.contains("確認用のメールアドレスが登録されていません。"),
        "{}",
        page.body
    );
    assert!(refused(&stack, &["set-email", LOGIN, "nowhere"])?.contains("ADDRESS_INVALID"));
    assert!(done(&stack, &["set-email", LOGIN, ADDRESS])?.contains("変更しました。"));
    assert!(done(&stack, &["set-email", LOGIN, ADDRESS])?.contains("すでにそのメールアドレスです。"));
    let page = sign_in(&stack, password)?;
    assert!(page.body.contains("n*****@example.com"), "{}", page.body);

    let account = shown(&stack)?;
    assert_eq!(account["address"], ADDRESS);
    assert_eq!(account["password_is_initial"], true);
    assert_eq!(account["password_is_of_registration"], true);
    assert!(account["last_accepted_at"].is_string(), "{account}");
    let text = done(&stack, &["show", LOGIN])?;
    for expected in ["見本 七緒", "見本病院（045000）", "有効", "確認済みのブラウザ"] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let listed = done(&stack, &["list", "--facility", "045000"])?;
    assert!(
        listed.contains(LOGIN) && listed.contains("04500001") && !listed.contains("13100001"),
        "{listed}"
    );
    assert_eq!(done(&stack, &["list", "--json"])?.lines().count(), 4);

    assert!(done(&stack, &["disable", LOGIN])?.contains("無効にしました。"));
    let page = sign_in(&stack, password)?;
    assert!(
        page.body.contains("サポート担当者に連絡してロックを解除してから"),
        "{}",
        page.body
    );
    assert!(done(&stack, &["enable", LOGIN])?.contains("有効にしました。"));
    for number in 0..10 {
        sign_in(&stack, &format!("wrong {number}"))?;
    }
    assert!(done(&stack, &["show", LOGIN])?.contains("ロック中"));
    assert!(
        done(&stack, &["unlock", LOGIN])?
            .contains("ロックを解除し、誤りの回数と、再設定のメールの上限を取り消しました。")
    );

    assert!(done(&stack, &["reset", LOGIN])?.contains("失効させました。"));
    let page = sign_in(&stack, password)?;
    assert!(
        page.body.contains("このパスワードは変更が必要です。"),
        "{}",
        page.body
    );

    assert!(refused(&stack, &["erase", LOGIN])?.contains("--yes"));
    assert!(done(&stack, &["erase", LOGIN, "--yes"])?.contains("消去しました。"));
    let page = sign_in(&stack, password)?;
    assert!(
        page.body.contains("ご利用のアカウントが見つからないようです。"),
        "{}",
        page.body
    );
    for arguments in [
        &["show", LOGIN][..],
        &["disable", LOGIN],
        &["erase", LOGIN, "--yes"],
    ] {
        assert!(
            refused(&stack, arguments)?.contains("ACCOUNT_UNKNOWN"),
            "{arguments:?}"
        );
    }
    Ok(())
}

#[test]
fn staff_are_linked_from_a_terminal_and_by_a_list() -> Result<()> {
    const STAFF: &str = "ncr-0002";
    let stack = Stack::start(&StackOptions {
        name: "accounts-staff".to_owned(),
        provider: true,
        ..StackOptions::default()
    })?;
    let whole = [
        "--facility-code",
        "ncc",
        "--facility",
        "見本がん対策部",
        "--name",
        "見本 五月",
    ];
    let add = |login, subject| [&["add", login, "--ncr", subject], &whole[..]].concat();
    let taken = refused(&stack, &add("ncr-0003", "ncr-staff-1"))?;
    assert!(
        taken.contains("登録しましたが") && taken.contains("NCR_SUBJECT_TAKEN"),
        "{taken}"
    );
    assert!(done(&stack, &add(STAFF, "ncr-staff-2"))?.contains("NCRアカウントに結び付けました。"));
    let shown = || -> Result<Value> { Ok(serde_json::from_str(&done(&stack, &["show", STAFF, "--json"])?)?) };
    assert_eq!(shown()?["ncr_subject"], "ncr-staff-2");
    assert!(done(&stack, &["show", STAFF])?.contains("NCRアカウントでサインインします"));
    let listed = done(&stack, &["list"])?;
    let line = listed
        .lines()
        .find(|line| line.contains(STAFF))
        .unwrap_or_default();
    assert!(line.contains("NCRアカウント"), "{listed}");
    assert!(done(&stack, &["explain", STAFF])?.contains("[NCRアカウントでサインイン]"));

    let again = done(&stack, &["link-ncr", STAFF, "ncr-staff-2"])?;
    assert!(
        again.contains("すでにそのNCRアカウントに結び付いています。"),
        "{again}"
    );
    assert!(refused(&stack, &["link-ncr", STAFF, "ncr staff"])?.contains("NCR_SUBJECT_INVALID"));
    // What a script says whose variable is empty.
    assert!(refused(&stack, &["link-ncr", STAFF, ""])?.contains("SUBJECT"));
    assert_eq!(shown()?["ncr_subject"], "ncr-staff-2");
    assert!(done(&stack, &["link-ncr", STAFF, "--remove"])?.contains("外しました。"));
    assert_eq!(shown()?["ncr_subject"], "");
    assert!(done(&stack, &["explain", STAFF])?.contains("NCRアカウントとの結び付きが外されています"));

    let folder = tempfile::tempdir()?;
    let list = folder.path().join("staff.csv");
    let lines = "利用者ID,施設コード,施設名,氏名,NCR識別子\nncr-0002,,,,ncr-staff-9\nncr-0004,ncc,見本がん対策部,見本 六花,ncr-staff-4\n";
    std::fs::write(&list, lines)?;
    let list = list.display().to_string();
    let imported = done(&stack, &["import", &list, "--apply"])?;
    assert!(
        imported.contains("NCRアカウントへの結び付け（セッション終了）"),
        "{imported}"
    );
    let exported = done(&stack, &["export"])?;
    for line in ["有効,ncr-staff-9", "有効,ncr-staff-4"] {
        assert!(exported.contains(line), "{line} in {exported}");
    }
    let unchanged = done(&stack, &["import", &list, "--apply"])?;
    assert!(
        unchanged
            .lines()
            .any(|line| line.contains("変更なし") && line.ends_with('2')),
        "{unchanged}"
    );
    done(&stack, &["link-ncr", sekisho_tests::LOGIN, "ncr-staff-5"])?;
    mail::wait_until(&stack.mailbox_url(), sekisho_tests::ADDRESS, |mails| {
        let mut subjects = mails.iter().map(|mail| &mail.subject);
        subjects.any(|subject| subject.contains("NCRアカウント結び付けのお知らせ"))
    })?;
    Ok(())
}

#[test]
fn without_a_certificate_nothing_is_done() -> Result<()> {
    let output = Command::new(sekisho_dev::cargo::program("sekisho")?)
        .args(["accounts", "disable", LOGIN])
        .env_remove("SEKISHO_CERTIFICATES")
        .env("SEKISHO_CREDENTIALS_ADMIN_URL", "https://127.0.0.1:1")
        .output()?;
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr)?;
    assert!(said.contains("--certificates"), "{said}");
    Ok(())
}
