//! パスワードを忘れた場合, from the link on the first page to the sign-in with the new password.

use std::path::PathBuf;

use anyhow::{Context, Result};
use sekisho_dev::{Stack, StackOptions, paths};
use sekisho_proto::credentials::v1::{DisableAccountRequest, RegisterAccountRequest};
use sekisho_tests::accounts::{administration, hash};
use sekisho_tests::browser::{Browser, Script};
use sekisho_tests::visitor::{Page, Visitor};
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD, mail};

use crate::script::{SHOW, pasted};

const NEW: &str = "朝露に濡れた庭で猫が三匹あくびする";
const FORGOT: &str = "パスワードを忘れた場合（再設定）";

fn stack(name: &str) -> Result<Stack> {
    let options = StackOptions {
        name: name.to_owned(),
        ..StackOptions::default()
    };
    tokio::task::block_in_place(|| Stack::start(&options))
}

fn picture(name: &str) -> PathBuf {
    let file = format!("target/screens/reset-{name}.png");
    paths::workspace().join(file)
}

/// C-50 to C-52 and C-54.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_set_anew_in_a_real_browser() -> Result<()> {
    let stack = stack("reset")?;
    let mut elsewhere = Visitor::new(&stack.portal_url());
    let top = tokio::task::block_in_place(|| elsewhere.sign_in(&stack))?;
    assert!(top.body.contains("見本病院"), "{}", top.body);

    let browser = Browser::open(Script::On).await?;
    browser.visit(&stack.portal_url()).await?;
    browser.press(FORGOT).await?;
    browser
        .see("登録されているメールアドレスに確認コードを送信します。")
        .await?;
    browser.picture(&picture("forgot")).await?;
    browser.press("確認コードを送信").await?;
    browser.see_in_title("エラー：").await?;
    browser.see("利用者IDを入力してください。").await?;
    browser.type_into("利用者ID", "０４５００００１").await?;
    let before = tokio::task::block_in_place(|| mail::to(&stack.mailbox_url(), ADDRESS))?.len();
    browser.press("確認コードを送信").await?;
    browser.see("入力された利用者IDが登録されている場合、").await?;
    browser.picture(&picture("code")).await?;
    for hidden in [ADDRESS, "g*****@", "見本"] {
        assert!(!browser.source().await?.contains(hidden), "{hidden}");
    }
    // A request alone changes nothing.
    let mut owner = Visitor::new(&stack.portal_url());
    let page = tokio::task::block_in_place(|| password(&mut owner, PASSWORD))?;
    assert!(page.body.contains("メールアドレス確認"), "{}", page.body);

    let mails = tokio::task::block_in_place(|| mail::wait_for(&stack.mailbox_url(), ADDRESS, before + 1))?;
    let mail = mails.last().context("no mail")?;
    assert!(
        mail.text.contains("パスワード再設定に使う確認コード"),
        "{}",
        mail.text
    );
    browser.type_into("確認コード", &mail.code()?).await?;
    browser.press("コードの確認").await?;

    browser
        .see("新しいパスワードは、15文字以上128文字以内で入力してください。")
        .await?;
    browser.picture(&picture("new-password")).await?;
    let shown = browser.text().await?.matches(SHOW).count();
    assert_eq!(shown, 2, "a button for each of the two fields");
    let names = "return [...document.querySelectorAll('.reveal')].map((button) => button.getAttribute('aria-label')).join();";
    let each = "パスワードを表示 新しいパスワード,パスワードを表示 新しいパスワード（確認）";
    assert_eq!(browser.run(names).await?, serde_json::json!(each));
    pasted(&browser, "new password", 2).await?;
    for (first, second, reason) in [
        ("short", "short", "15文字以上で入力してください。"),
        (
            "interdependence",
            "interdependence",
            "理由：よく使われるパスワードです。",
        ),
        (
            "kvtqz gantoroku mwphx",
            "kvtqz gantoroku mwphx",
            "理由：利用者IDやシステム名を含みます。",
        ),
        (NEW, "something else", "2つの欄のパスワードが一致しません。"),
    ] {
        browser.type_into("新しいパスワード", first).await?;
        browser.type_into("新しいパスワード（確認）", second).await?;
        browser.press("パスワードを変更").await?;
        browser.see(reason).await?;
    }
    browser.picture(&picture("new-password-mismatch")).await?;
    browser.type_into("新しいパスワード", NEW).await?;
    browser.type_into("新しいパスワード（確認）", NEW).await?;
    browser.press("パスワードを変更").await?;
    browser.see("新しいパスワードでサインインしてください。").await?;
    browser.picture(&picture("done")).await?;

    // Nobody is signed in by it, and who was signed in is no more.
    browser.visit(&format!("{}/top", stack.portal_url())).await?;
    browser.see("医療機関の方はこちら").await?;
    let page = tokio::task::block_in_place(|| elsewhere.get("/top"))?;
    assert!(!page.body.contains("見本病院"), "{}", page.body);
    let page = tokio::task::block_in_place(|| owner.get("/signin/email"))?;
    assert!(
        page.body.contains("サインインの有効時間が過ぎました。"),
        "{}",
        page.body
    );
    let page = tokio::task::block_in_place(|| password(&mut owner, PASSWORD))?;
    assert!(
        page.body.contains("パスワードが正しくありません。"),
        "{}",
        page.body
    );

    browser.type_into("利用者ID", LOGIN).await?;
    browser.type_into("パスワード", NEW).await?;
    browser.press("サインイン").await?;
    // The code by mail is asked for as ever.
    browser.see("メールアドレス確認").await
}

fn password(visitor: &mut Visitor, password: &str) -> Result<Page> {
    let page = visitor.get("/signin")?;
    visitor.send(&page, "/signin", &[("user_id", LOGIN), ("password", password)])
}

/// C-29 and C-55. The ids have the same length, because the page's cookie keeps what was typed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_the_id_a_reset_looks_the_same_and_mails_are_limited() -> Result<()> {
    const UNKNOWN: &str = "04599999";
    const NO_ADDRESS: &str = "04500009";
    const DISABLED: &str = "04500002";
    let stack = stack("reset-alike")?;
    let mut administration = administration(&stack).await?;
    let without_address = RegisterAccountRequest {
        login_id: NO_ADDRESS.to_owned(),
        facility_code: "045000".to_owned(),
        facility: "見本病院".to_owned(),
        name: "見本 四季".to_owned(),
        password_hash: hash()?,
        ..RegisterAccountRequest::default()
    };
    administration.register_account(without_address).await?;
    let disable = DisableAccountRequest {
        login_id: DISABLED.to_owned(),
    };
    administration.disable_account(disable).await?;

    let mut answers = Vec::new();
    for login in [LOGIN, LOGIN, LOGIN, LOGIN, LOGIN, UNKNOWN, NO_ADDRESS, DISABLED] {
        answers.push((login, tokio::task::block_in_place(|| forget(&stack, login))?));
    }
    let (_, first) = &answers[0];
    for (login, answer) in &answers[1..] {
        assert_eq!(answer, first, "{login}");
    }
    // Whoever asks for more is told so, also of an id that nobody has.
    for login in [LOGIN, UNKNOWN] {
        let page = tokio::task::block_in_place(|| ask_again(&stack, login))?;
        assert!(
            page.body.contains("リクエストが多すぎます。"),
            "{login}: {}",
            page.body
        );
    }
    let mails = tokio::task::block_in_place(|| mail::wait_for(&stack.mailbox_url(), ADDRESS, 3))?;
    assert_eq!(mails.len(), 3);
    let disabled = tokio::task::block_in_place(|| mail::to(&stack.mailbox_url(), "futaba@example.com"))?;
    assert!(disabled.is_empty(), "{disabled:?}");
    Ok(())
}

/// The answer to POST `/password/forgot` and the page after it, without what is random.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    location: Option<String>,
    headers: Vec<(String, String)>,
    page: String,
}

fn forget(stack: &Stack, login: &str) -> Result<Answer> {
    let mut visitor = Visitor::new(&stack.portal_url());
    let page = visitor.get("/password/forgot")?;
    let answer = visitor.send_once(&page, "/password/forgot", &[("user_id", login)])?;
    let code = visitor.get("/password/forgot/code")?;
    let headers = answer.headers.iter().map(|(name, value)| {
        let value = match name.as_str() {
            "set-cookie" => value.split_once('=').map_or_else(String::new, |(name, rest)| {
                format!("{name}, {} bytes", rest.len())
            }),
            "date" | "traceresponse" => String::new(),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Ok(Answer {
        status: answer.status,
        location: answer.location.clone(),
        headers: headers.collect(),
        page: without_random(&code),
    })
}

fn without_random(page: &Page) -> String {
    let mut text = page.body.clone();
    for form in [
        "/password/forgot/code/verify",
        "/password/forgot/code/send",
        "/password/forgot/cancel",
    ] {
        for (_, value) in page.hidden_fields(form) {
            text = text.replace(&value, "");
        }
    }
    for (before, after) in [("class=\"reference\">", "<"), ("有効期限は", "です。")] {
        if let Some((start, rest)) = text.split_once(before)
            && let Some((_, end)) = rest.split_once(after)
        {
            text = format!("{start}{before}{after}{end}");
        }
    }
    text
}

/// Another code in the fourth reset of an id. Nobody was mailed the first one, so nothing has to be waited for.
fn ask_again(stack: &Stack, login: &str) -> Result<Page> {
    let begin = || -> Result<(Visitor, Page)> {
        let mut visitor = Visitor::new(&stack.portal_url());
        let page = visitor.get("/password/forgot")?;
        let page = visitor.send(&page, "/password/forgot", &[("user_id", login)])?;
        Ok((visitor, page))
    };
    for _ in 0..3 {
        begin()?;
    }
    let (mut visitor, page) = begin()?;
    visitor.send(&page, "/password/forgot/code/send", &[])
}
