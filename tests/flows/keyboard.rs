//! Without a mouse: everything by Tab, Enter and letters, with the focus always in sight.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use fantoccini::key::Key;
use sekisho_dev::{Stack, StackOptions};
use sekisho_gallery::states::STATES;
use sekisho_tests::browser::{Browser, Focused, Script};
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD, gallery, mail};

/// No page has more places to go to.
const MOST: usize = 40;

/// The next Tab leads to the first place of the page, whatever has the focus.
const FROM_THE_TOP: &str = "
    const top = document.createElement('span');
    top.tabIndex = -1;
    document.body.prepend(top);
    top.focus();
    top.remove();";

/// The names of all that can be pressed or typed into, as screen readers call it.
const CONTROLS: &str = "
    const [within, not] = arguments[0] ? ['dialog ', ''] : ['', ':not(dialog *)'];
    const controls = ['a[href]', 'button', 'input:not([type=hidden], [tabindex])'].map((one) => within + one + not);
    const name = (one) => [...one.labels ?? []].map((label) => label.textContent).join(' ') || one.textContent;
    return [...document.querySelectorAll(controls)].map((one) => name(one).trim());";

/// Tabs on until this has the focus.
async fn tab_to(browser: &Browser, name: &str) -> Result<()> {
    let mut passed = Vec::new();
    for _ in 0..MOST {
        browser.press_key(Key::Tab).await?;
        let focused = browser.focused().await?;
        if focused.name == name {
            ensure!(focused.is_visible, "nobody sees that {name} has the focus");
            return Ok(());
        }
        passed.push(focused.name);
    }
    anyhow::bail!("the keyboard does not lead to {name}, only to {passed:?}")
}

async fn expect_focus(browser: &Browser, name: &str) -> Result<()> {
    let focused = browser.focused().await?;
    ensure!(focused.name == name && focused.is_visible, "{name}: {focused:?}");
    Ok(())
}

/// C-110: chapter 3, from the first page to サインアウト完了.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manual_works_without_a_mouse() -> Result<()> {
    let options = StackOptions {
        name: "keyboard".to_owned(),
        ..StackOptions::default()
    };
    let stack = tokio::task::block_in_place(|| Stack::start(&options))?;
    let browser = Browser::open(Script::On).await?;
    browser.visit(&stack.portal_url()).await?;
    browser.see("医療機関の方はこちら").await?;
    // The page begins where somebody types; Enter in either field is サインイン.
    expect_focus(&browser, "利用者ID").await?;
    browser.type_keys("O4500001").await?;
    browser.press_key(Key::Tab).await?;
    expect_focus(&browser, "パスワード").await?;
    for next in [
        "パスワードを表示",
        "パスワードを忘れた場合（再設定）",
        "サインイン",
    ] {
        browser.press_key(Key::Tab).await?;
        expect_focus(&browser, next).await?;
    }
    browser.press_key(Key::Enter).await?;
    browser.see("パスワードを入力してください。").await?;
    // From what is said at the top the keyboard leads to the fields.
    tab_to(&browser, "パスワード").await?;
    browser.type_keys(PASSWORD).await?;
    browser.press_key(Key::Enter).await?;
    browser.see("ご利用のアカウントが見つからないようです。").await?;
    tab_to(&browser, "利用者ID").await?;
    // What was typed is selected.
    browser.type_keys(LOGIN).await?;
    tab_to(&browser, "パスワード").await?;
    browser.type_keys(PASSWORD).await?;
    browser.press_key(Key::Enter).await?;

    browser.see("メールアドレス確認").await?;
    expect_focus(&browser, "確認コードを送信").await?;
    browser.press_key(Key::Enter).await?;
    browser.see("コードの確認").await?;
    expect_focus(&browser, "確認コード").await?;
    let mails = tokio::task::block_in_place(|| mail::wait_for(&stack.mailbox_url(), ADDRESS, 1))?;
    browser
        .type_keys(&mails.last().context("no mail")?.code()?)
        .await?;
    browser.press_key(Key::Enter).await?;
    browser.see("今すぐ続行できます。").await?;
    expect_focus(&browser, "続行").await?;
    browser.press_key(Key::Enter).await?;

    browser.see("クイックアクセス").await?;
    // The skip link comes first, and leads past the head.
    browser.press_key(Key::Tab).await?;
    expect_focus(&browser, "本文へ移動").await?;
    tab_to(&browser, "サインアウト").await?;
    browser.press_key(Key::Enter).await?;
    browser.see("サインアウト完了").await?;
    tab_to(&browser, "サインインページへ戻る").await
}

/// C-110: wherever the focus is, somebody sees it; it goes down the page, and around.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_gets_through_every_page() -> Result<()> {
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for state in STATES.iter() {
        browser.visit(&format!("{gallery}/show/{state}")).await?;
        let is_modal = browser
            .run("return Boolean(document.querySelector('dialog[open]'));")
            .await?
            == true;
        // What there is to press and to type into, in the order of the page. Many states have the same.
        let all = browser.run_with(CONTROLS, vec![is_modal.into()]).await?;
        if !seen.insert(all.to_string()) {
            continue;
        }
        let mut stops: Vec<Focused> = Vec::new();
        if is_modal {
            // Nothing else can be reached; its first button has the focus, which is drawn once somebody uses the keyboard.
            stops.push(Focused {
                is_visible: true,
                ..browser.focused().await?
            });
        } else {
            browser.run(FROM_THE_TOP).await?;
        }
        loop {
            browser.press_key(Key::Tab).await?;
            let focused = browser.focused().await?;
            if focused.element == "body" || stops.len() == MOST {
                break;
            }
            stops.push(focused);
        }
        if stops.len() == MOST {
            problems.push(format!("{state}: no way out"));
        }
        let reached: Vec<&str> = stops
            .iter()
            .filter(|stop| ["a", "button", "input"].contains(&&*stop.element))
            .map(|stop| &*stop.name)
            .collect();
        if serde_json::json!(reached) != all {
            problems.push(format!("{state}: {reached:?} of {all}"));
        }
        for stop in stops.iter().filter(|stop| !stop.is_visible) {
            problems.push(format!("{state}: nobody sees that {} has the focus", stop.name));
        }
    }
    ensure!(problems.is_empty(), "{problems:#?}");
    Ok(())
}
