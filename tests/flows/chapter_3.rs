//! Chapter 3 of the manual, from the first page to サインアウト完了, in a real browser with a real mail.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};
use sekisho_dev::{Stack, StackOptions, paths};
use sekisho_tests::browser::{Browser, Engine, Script};
use sekisho_tests::seed::seed;
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD, mail};

/// The subject that the manual prints in 3.4.
const SUBJECT: &str = "国立がん研究センター（GTOL B2C production）アカウントの電子メール確認コード";

/// Where to walk: a stack of our own, or what `SEKISHO_PORTAL` and `SEKISHO_MAILBOX` name, such as `cargo dev up` on a
/// new machine.
struct Place {
    portal: String,
    mailbox: String,
    _stack: Option<Stack>,
}

fn place(name: &str) -> Result<Place> {
    if let (Ok(portal), Ok(mailbox)) = (env::var("SEKISHO_PORTAL"), env::var("SEKISHO_MAILBOX")) {
        return Ok(Place {
            portal,
            mailbox,
            _stack: None,
        });
    }
    let options = StackOptions {
        name: name.to_owned(),
        ..StackOptions::default()
    };
    let stack = tokio::task::block_in_place(|| Stack::start(&options))?;
    Ok(Place {
        portal: stack.portal_url(),
        mailbox: stack.mailbox_url(),
        _stack: Some(stack),
    })
}

pub fn picture(name: &str) -> PathBuf {
    paths::workspace()
        .join("target/screens")
        .join(format!("{name}.png"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manual_works_as_printed_with_script() -> Result<()> {
    walk(Engine::Chromium, Script::On, "script").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manual_works_as_printed_without_script() -> Result<()> {
    walk(Engine::Chromium, Script::Blocked, "no-script").await
}

mod long_firefox {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "long tier: another browser"]
    async fn the_manual_works_as_printed_in_firefox() -> Result<()> {
        walk(Engine::Firefox, Script::On, "firefox").await?;
        walk(Engine::Firefox, Script::Blocked, "firefox-no-script").await
    }
}

async fn walk(engine: Engine, script: Script, name: &str) -> Result<()> {
    let place = place(&format!("chapter-3-{name}"))?;
    let browser = Browser::open_in(engine, script).await?;
    let shot = |page: &str| picture(&format!("{name}-{page}"));

    // 3.1, 3.2
    browser.visit(&place.portal).await?;
    for text in [
        seed("がん登録オンラインシステム"),
        seed("医療機関の方はこちら"),
        seed("NCC・都道府県の方はこちら"),
        seed("NCRアカウントでサインイン"),
    ] {
        browser.see(text).await?;
    }
    browser.picture(&shot("sign-in")).await?;
    wrong_inputs(&browser, &shot).await?;

    // 3.3, with full-width digits in the id
    browser.type_into(seed("利用者ID"), "０４５００００１").await?;
    browser.type_into(seed("パスワード"), PASSWORD).await?;
    browser.press(seed("サインイン")).await?;

    // 3.4
    browser.see(seed("メールアドレス確認")).await?;
    browser
        .see(seed("確認が必要です。[送信] ボタンをクリックしてください。"))
        .await?;
    browser.see("g*****@example.com").await?;
    assert!(
        !browser.source().await?.contains(ADDRESS),
        "the whole address stands in the page"
    );
    browser.picture(&shot("email-not-sent")).await?;
    browser.press(seed("続行")).await?;
    browser.see("メールアドレスの確認が完了していません。").await?;
    let mails_before = tokio::task::block_in_place(|| mail::to(&place.mailbox, ADDRESS))?.len();
    browser.press(seed("確認コードを送信")).await?;
    browser
        .see(seed(
            "確認コードが受信トレイに送信されました。次の入力ボックスにコピーしてください。",
        ))
        .await?;
    browser.picture(&shot("email-sent")).await?;
    let code = read_mail(&place.mailbox, mails_before)?;

    let wrong = if code == "000000" { "111111" } else { "000000" };
    browser.type_into(seed("確認コード"), wrong).await?;
    browser.press(seed("コードの確認")).await?;
    browser
        .see("そのコードが正しくありません。再試行してください。")
        .await?;
    browser.see("あと4回入力できます。").await?;
    browser.picture(&shot("email-wrong-code")).await?;
    browser.type_into(seed("確認コード"), &full_width(&code)).await?;
    browser.press(seed("コードの確認")).await?;
    browser
        .see(seed("電子メール アドレスが確認されました。今すぐ続行できます。"))
        .await?;
    browser.see(ADDRESS).await?;
    browser.picture(&shot("email-verified")).await?;
    browser.reload().await?;
    browser
        .see(seed("電子メール アドレスが確認されました。今すぐ続行できます。"))
        .await?;
    browser.press(seed("続行")).await?;

    // 3.6
    browser.see(seed("がん登録オンラインシステム (GTOL)")).await?;
    browser.see(seed("お知らせ")).await?;
    browser.see(seed("クイックアクセス")).await?;
    for text in ["見本病院", "見本 一郎"] {
        let (right, top, window) = browser.place_of(text).await?;
        assert!(
            right > window / 2.0 && top < 200.0,
            "{text} is not at the upper right: {right} of {window}, {top}"
        );
    }
    browser.picture(&shot("top")).await?;

    // 3.7
    browser.press(seed("サインアウト")).await?;
    browser.see(seed("サインアウト完了")).await?;
    browser
        .see(seed("GTOLからのサインアウトが完了しました。"))
        .await?;
    for step in [
        seed("画面左下の[Windowsマーク]をクリックします。"),
        seed("[main-gtol-vpn]をクリックします。"),
    ] {
        browser.see(step).await?;
    }
    browser.picture(&shot("signed-out")).await?;
    browser.back().await?;
    browser.see(seed("利用者ID")).await?;
    assert!(
        !browser.text().await?.contains("見本病院"),
        "Back shows the top page after サインアウト"
    );
    Ok(())
}

/// 3.8, cases 1 and 2.
async fn wrong_inputs(browser: &Browser, shot: &impl Fn(&str) -> PathBuf) -> Result<()> {
    browser.type_into(seed("利用者ID"), "O4500001").await?;
    browser.type_into(seed("パスワード"), PASSWORD).await?;
    browser.press(seed("サインイン")).await?;
    browser
        .see(seed("ご利用のアカウントが見つからないようです。"))
        .await?;
    browser.picture(&shot("unknown-account")).await?;
    browser.type_into(seed("利用者ID"), LOGIN).await?;
    browser
        .type_into(seed("パスワード"), "Gantoroku-demo-2026")
        .await?;
    browser.press(seed("サインイン")).await?;
    browser.see(seed("パスワードが正しくありません。")).await?;
    browser.picture(&shot("wrong-password")).await
}

fn read_mail(mailbox: &str, before: usize) -> Result<String> {
    let mails = tokio::task::block_in_place(|| mail::wait_for(mailbox, ADDRESS, before + 1))?;
    let mail = mails.last().context("no mail")?;
    assert_eq!(mail.subject, seed(SUBJECT));
    mail.code()
}

fn full_width(digits: &str) -> String {
    digits
        .chars()
        .filter_map(|digit| char::from_u32(u32::from(digit) - u32::from('0') + u32::from('０')))
        .collect()
}
