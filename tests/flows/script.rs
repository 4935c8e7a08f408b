//! What script adds, in a real browser.

use anyhow::Result;
use sekisho_tests::browser::{Browser, Script};
use sekisho_tests::stack::shared;

const PASSWORD: &str = "パスワード";
const SHOW: &str = "パスワードを表示";
const HIDE: &str = "パスワードを非表示";

/// C-9.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_can_be_shown_and_hides_again_when_it_is_sent() -> Result<()> {
    let portal = tokio::task::block_in_place(|| shared().portal_url());
    let browser = Browser::open(Script::On).await?;
    browser.visit(&portal).await?;
    browser.type_into(PASSWORD, "canary").await?;
    assert_eq!(browser.kind_of(PASSWORD).await?, "password");
    browser.press(SHOW).await?;
    assert_eq!(browser.kind_of(PASSWORD).await?, "text");
    browser.press(HIDE).await?;
    assert_eq!(browser.kind_of(PASSWORD).await?, "password");
    browser.press(SHOW).await?;
    browser.press("サインイン").await?;
    browser.see("利用者IDを入力してください。").await?;
    assert_eq!(browser.kind_of(PASSWORD).await?, "password");
    browser.see(SHOW).await
}

/// A button that does nothing would be worse than none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_script_there_is_no_button_that_needs_it() -> Result<()> {
    let portal = tokio::task::block_in_place(|| shared().portal_url());
    let browser = Browser::open(Script::Blocked).await?;
    browser.visit(&portal).await?;
    browser.see("医療機関の方はこちら").await?;
    assert!(!browser.text().await?.contains(SHOW));
    Ok(())
}
