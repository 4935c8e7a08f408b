//! What script adds, in a real browser.

use anyhow::Result;
use sekisho_tests::browser::{Browser, Script};
use sekisho_tests::stack::shared;

const PASSWORD: &str = "パスワード";
pub const SHOW: &str = "パスワードを表示";
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
    // The page stays, so that what it did when the form was sent can be seen.
    browser
        .run("document.querySelector('form[action=\"/signin\"]').addEventListener('submit', event => event.preventDefault());")
        .await?;
    browser.press(SHOW).await?;
    assert_eq!(browser.kind_of(PASSWORD).await?, "text");
    browser.press("サインイン").await?;
    assert_eq!(browser.kind_of(PASSWORD).await?, "password");
    browser.see(SHOW).await
}

/// C-9: nobody leaves one standing there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_shown_hides_again_after_half_a_minute() -> Result<()> {
    let portal = tokio::task::block_in_place(|| shared().portal_url());
    let browser = Browser::open(Script::On).await?;
    browser.visit(&portal).await?;
    browser
        .run("window.setTimeout = (later, wait) => { window.later = later; window.wait = wait; return 0; };")
        .await?;
    browser.type_into(PASSWORD, "canary").await?;
    browser.press(SHOW).await?;
    assert_eq!(browser.kind_of(PASSWORD).await?, "text");
    let wait = browser.run("window.later(); return window.wait;").await?;
    assert_eq!(wait.as_u64(), Some(30_000));
    assert_eq!(browser.kind_of(PASSWORD).await?, "password");
    browser.see(SHOW).await
}

/// Pastes into every field of a page, which must be so many.
pub async fn pasted(browser: &Browser, page: &str, fields: u32) -> Result<()> {
    const PASTE: &str = "
        const fields = [...document.querySelectorAll('input:not([type=hidden], [tabindex])')];
        const hindered = fields.filter(field => {
            field.focus();
            const paste = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
            field.dispatchEvent(paste);
            document.execCommand('insertText', false, '0450');
            return paste.defaultPrevented || field.value !== '0450';
        });
        return [fields.length, hindered.length];";
    let pasted = browser.run(PASTE).await?;
    assert_eq!(pasted, serde_json::json!([fields, 0]), "{page}");
    Ok(())
}

/// C-8: password managers and people paste. The page of a new password: `reset.rs`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hinders_pasting() -> Result<()> {
    let portal = tokio::task::block_in_place(|| shared().portal_url());
    let browser = Browser::open(Script::On).await?;
    browser.visit(&format!("{portal}/signin")).await?;
    pasted(&browser, "sign-in", 2).await?;
    browser.visit(&format!("{portal}/password/forgot")).await?;
    pasted(&browser, "reset", 1).await?;
    // An id that nobody has gets a page for its code like any other.
    browser.visit(&format!("{portal}/password/forgot")).await?;
    browser.type_into("利用者ID", "99000077").await?;
    browser.press("確認コードを送信").await?;
    browser.see("コードの確認").await?;
    pasted(&browser, "code", 1).await
}

/// The browser goes to the field, and would leave what is said above it behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_above_a_field_stays_in_sight() -> Result<()> {
    let portal = tokio::task::block_in_place(|| shared().portal_url());
    let browser = Browser::open(Script::On).await?;
    browser.resize(1366, 800).await?;
    browser.visit(&format!("{portal}/signin")).await?;
    browser.type_into("利用者ID", "13100001").await?;
    browser.type_into(PASSWORD, "wrong").await?;
    browser.press("サインイン").await?;
    browser.see("パスワードが正しくありません。").await?;
    let seen = browser
        .run("return [document.activeElement.id, document.querySelector('[role=alert]').getBoundingClientRect().top > 0];")
        .await?;
    assert_eq!(seen, serde_json::json!(["password", true]));
    Ok(())
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
