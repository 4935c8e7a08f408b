//! What people are told by mail without having asked. C-32 and C-53.

use anyhow::{Context, Result, bail};
use sekisho_dev::{Stack, StackOptions};
use sekisho_tests::mail::{self, Mail};
use sekisho_tests::visitor::{Page, Visitor};
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD};

use super::terminal::{self, done};

const NEW: &str = "朝露に濡れた庭で猫が三匹あくびする";

fn type_password(visitor: &mut Visitor, password: &str) -> Result<Page> {
    let page = visitor.get("/signin")?;
    visitor.send(&page, "/signin", &[("user_id", LOGIN), ("password", password)])
}

/// The one mail to an address whose subject holds a text.
fn told(stack: &Stack, address: &str, subject: &str) -> Result<Mail> {
    let mails = mail::wait_until(&stack.mailbox_url(), address, |mails| {
        mails.iter().any(|mail| mail.subject.contains(subject))
    })?;
    let mut found = mails.into_iter().filter(|mail| mail.subject.contains(subject));
    let first = found.next().context("no such mail")?;
    if found.next().is_some() {
        bail!("told twice: {subject}");
    }
    Ok(first)
}

#[test]
fn people_are_told_of_what_somebody_else_may_have_done() -> Result<()> {
    let stack = Stack::start(&StackOptions {
        name: "notices".to_owned(),
        ..StackOptions::default()
    })?;
    // The first sign-in of all is no surprise to anybody.
    Visitor::new(&stack.portal_url()).sign_in(&stack)?;
    let mut other = Visitor::new(&stack.portal_url());
    other.sign_in(&stack)?;
    let mail = told(&stack, ADDRESS, "サインインのお知らせ（新しいブラウザ）")?;
    assert!(mail.text.contains("お心当たりがない場合は"), "{}", mail.text);

    let mut guesser = Visitor::new(&stack.portal_url());
    let page = type_password(&mut guesser, PASSWORD)?;
    let mut page = guesser.send(&page, "/signin/email/send", &[])?;
    for _ in 0..5 {
        page = guesser.send(&page, "/signin/email/verify", &[("code", "000000")])?;
    }
    told(&stack, ADDRESS, "確認コード無効化のお知らせ（サインイン）")?;

    let mut stranger = Visitor::new(&stack.portal_url());
    for number in 0..12 {
        type_password(&mut stranger, &format!("wrong {number}"))?;
    }
    told(&stack, ADDRESS, "サインインの一時制限のお知らせ")?;

    set_anew(&stack)?;
    let mail = told(&stack, ADDRESS, "パスワード変更のお知らせ")?;
    assert!(
        !mail.text.contains(NEW) && !mail.text.contains("http"),
        "{}",
        mail.text
    );

    done(&stack, &["set-email", LOGIN, "elsewhere@example.com"])?;
    told(&stack, ADDRESS, "メールアドレス変更のお知らせ")?;
    assert!(mail::all(&stack.mailbox_url(), "elsewhere@example.com")?.is_empty());
    let explained = done(&stack, &["explain", LOGIN])?;
    assert!(
        explained.contains("新しいパスワードが設定されました"),
        "{explained}"
    );

    let traced = terminal::mail(&stack, &["trace", "--account", LOGIN])?;
    for expected in [
        "確認コード（サインイン）",
        "確認コード（パスワード再設定）",
        "お知らせ（",
        "1回目の送信を開始（",
        "引き渡し済み（応答 250）",
    ] {
        assert!(traced.contains(expected), "{expected} in {traced}");
    }
    let counted = terminal::mail(&stack, &["reconcile"])?;
    let issued = counted
        .lines()
        .find(|line| line.starts_with("発行した確認コード"));
    assert!(issued.is_some_and(|line| line.ends_with(" 4")), "{counted}");
    Ok(())
}

fn set_anew(stack: &Stack) -> Result<()> {
    let mut visitor = Visitor::new(&stack.portal_url());
    let is_code = |mail: &Mail| mail.text.contains("パスワード再設定に使う確認コード");
    let page = visitor.get("/password/forgot")?;
    let page = visitor.send(&page, "/password/forgot", &[("user_id", LOGIN)])?;
    let mails = mail::wait_until(&stack.mailbox_url(), ADDRESS, |mails| mails.iter().any(is_code))?;
    let code = mails
        .iter()
        .rfind(|mail| is_code(mail))
        .context("no code")?
        .code()?;
    let page = visitor.send(&page, "/password/forgot/code/verify", &[("code", &code)])?;
    let fields = [("new_password", NEW), ("new_password_again", NEW)];
    let page = visitor.send(&page, "/password/forgot/new", &fields)?;
    assert!(page.body.contains("パスワードを変更しました"), "{}", page.body);
    Ok(())
}
