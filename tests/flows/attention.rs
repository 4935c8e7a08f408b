//! What script does for people who type, wait and go away (screens 2.1, 2.4 and 2.8), in a real browser.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fantoccini::key::Key;
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_tests::browser::{Browser, Script};
use sekisho_tests::flow::Gateway;
use sekisho_tests::stack::shared;
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD, gallery, log, mail};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use super::terminal;

fn start(name: &str) -> Result<Stack> {
    let options = StackOptions {
        name: name.to_owned(),
        ..StackOptions::default()
    };
    tokio::task::block_in_place(|| Stack::start(&options))
}

/// Up to the page that sends the code.
async fn begin(browser: &Browser, stack: &Stack) -> Result<()> {
    browser.visit(&stack.portal_url()).await?;
    browser.type_into("利用者ID", LOGIN).await?;
    browser.type_into("パスワード", PASSWORD).await?;
    browser.press("サインイン").await?;
    browser.see("確認コードを送信").await
}

async fn sign_in(browser: &Browser, stack: &Stack) -> Result<()> {
    begin(browser, stack).await?;
    browser.press("確認コードを送信").await?;
    browser.see("コードの確認").await?;
    let mails = tokio::task::block_in_place(|| mail::wait_for(&stack.mailbox_url(), ADDRESS, 1))?;
    let code = mails.last().context("no mail")?.code()?;
    browser.type_into("確認コード", &code).await?;
    browser.press("コードの確認").await?;
    browser.see("今すぐ続行できます。").await?;
    browser.press("続行").await?;
    browser.see("クイックアクセス").await
}

/// Loads the page again until it shows a text, 20 s at most.
async fn reload_until(browser: &Browser, text: &str) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        browser.reload().await?;
        if browser.text().await?.contains(text) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the page never shows {text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// From now on the browser's clock is so many minutes ahead.
async fn later(browser: &Browser, minutes: u32) -> Result<()> {
    let script = format!(
        "window.realNow ??= Date.now;
         window.looks = 0;
         Date.now = () => {{ window.looks += 1; return window.realNow() + {minutes} * 60000 + 1000; }};"
    );
    browser.run(&script).await.map(drop)
}

/// Waits until the page has looked at its clock more than once since then: what it does not do now it does not do.
async fn looked_at(browser: &Browser) -> Result<()> {
    until(browser, "return window.looks > 2;", &json!(true)).await
}

/// Waits until a script answers this, 10 s at most.
async fn until(browser: &Browser, script: &str, wanted: &Value) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let answer = browser.run(script).await?;
        if answer == *wanted {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{script} answers {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hidden_password_does_not_show_is_said() -> Result<()> {
    let portal = tokio::task::block_in_place(|| shared().portal_url());
    let browser = Browser::open(Script::On).await?;
    browser.visit(&portal).await?;
    browser.type_into("パスワード", "ｇａｎ").await?;
    browser
        .see("全角文字が入力されています。半角で入力してください。")
        .await?;
    browser.type_into("パスワード", "gan").await?;
    assert!(!browser.text().await?.contains("全角文字が入力されています。"));
    let press = |on: bool| {
        format!(
            "document.getElementById('password').dispatchEvent(
                 new KeyboardEvent('keydown', {{ key: 'A', modifierCapsLock: {on} }}));"
        )
    };
    browser.run(&press(true)).await?;
    browser.see("Caps Lock がオンになっています。").await?;
    browser.run(&press(false)).await?;
    assert!(!browser.text().await?.contains("Caps Lock"));
    // C-112: said where the field is, without taking the focus away.
    let described = browser
        .run(
            "const said = document.getElementById(document.getElementById('password').getAttribute('aria-describedby'));
             return [said.id, said.getAttribute('role')];",
        )
        .await?;
    assert_eq!(described, json!(["password-typing", "status"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_a_code_too_soon_sees_the_seconds_pass() -> Result<()> {
    let stack = start("attention-too-soon")?;
    let browser = Browser::open(Script::On).await?;
    begin(&browser, &stack).await?;
    browser.press("確認コードを送信").await?;
    browser.see("コードの確認").await?;
    browser.press("新しいコードを送信します").await?;
    browser.see("新しいコードは、あと").await?;
    let seconds = "return document.querySelector('[data-seconds]').textContent;";
    let first = browser.run(seconds).await?;
    assert!(
        first
            .as_str()
            .is_some_and(|text| text.starts_with("新しいコードは、あと"))
    );
    let is_another = format!("return document.querySelector('[data-seconds]').textContent !== {first};");
    until(&browser, &is_another, &json!(true)).await?;
    // C-112: it is announced at the beginning and when it is over, and not every second.
    let announced = "const note = document.querySelector('[data-seconds]');
        const announced = note.parentElement.querySelector('.unseen[role=status]').textContent;
        return [note.hasAttribute('role'), announced.replace(/[0-9]+/, 'N')];";
    let beginning = json!([false, "新しいコードは、あとN秒たつと送信できます。"]);
    until(&browser, announced, &beginning).await?;
    let said = "return document.querySelector('[data-seconds]').parentElement.querySelector('.unseen[role=status]').textContent;";
    let once = browser.run(said).await?;
    let second = browser.run(seconds).await?;
    let is_another = format!("return document.querySelector('[data-seconds]').textContent !== {second};");
    until(&browser, &is_another, &json!(true)).await?;
    assert_eq!(browser.run(said).await?, once);
    later(&browser, 1).await?;
    browser.see("新しいコードを送信できます。").await?;
    assert_eq!(
        browser.run(announced).await?,
        json!([false, "新しいコードを送信できます。"])
    );
    Ok(())
}

/// Screens 2.4: the page says by itself what became of the mail, and keeps what was typed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_learns_by_itself_that_its_mail_was_handed_over() -> Result<()> {
    let mut stack = start("attention-mail")?;
    let browser = Browser::open(Script::On).await?;
    begin(&browser, &stack).await?;
    tokio::task::block_in_place(|| stack.kill_part("mailbox"))?;
    browser.press("確認コードを送信").await?;
    browser.see("確認コードを送信しています。").await?;
    browser.type_into("確認コード", "123").await?;
    tokio::task::block_in_place(|| stack.start_part("mailbox"))?;
    browser.see("確認コードが受信トレイに送信されました。").await?;
    let typed = browser
        .run("const code = document.getElementById('code'); return [code.value, document.activeElement === code];")
        .await?;
    assert_eq!(typed, json!(["123", true]));
    // C-112: it is the same region that says something else now.
    let said =
        "return [...document.querySelectorAll('#status[role=status]')].map((one) => one.textContent).join();";
    let sent = "確認コードが受信トレイに送信されました。次の入力ボックスにコピーしてください。";
    assert_eq!(browser.run(said).await?, json!(sent));
    Ok(())
}

/// A window that nobody looked at for long shows what is true now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_waits_for_its_mail_learns_that_the_code_is_too_old() -> Result<()> {
    let mut stack = start("attention-too-old")?;
    let browser = Browser::open(Script::On).await?;
    begin(&browser, &stack).await?;
    tokio::task::block_in_place(|| stack.kill_part("mailbox"))?;
    browser.press("確認コードを送信").await?;
    browser.see("確認コードを送信しています。").await?;
    let log = log::open(&stack.database_url("postgres")).await?;
    put_ahead(&log, 11).await?;
    browser.see("コードの有効期限が切れています。").await?;
    assert!(
        !browser
            .text()
            .await?
            .contains("確認コードが受信トレイに送信されました。")
    );
    Ok(())
}

/// Somebody has typed a wrong code in another window meanwhile: what is wrong is said here, too, when the mail is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_waits_for_its_mail_says_what_went_wrong_in_another_window() -> Result<()> {
    let mut stack = start("attention-other-window")?;
    let browser = Browser::open(Script::On).await?;
    begin(&browser, &stack).await?;
    tokio::task::block_in_place(|| stack.kill_part("mailbox"))?;
    browser.press("確認コードを送信").await?;
    browser.see("確認コードを送信しています。").await?;
    let typed_elsewhere = "
        const done = arguments[arguments.length - 1];
        const form = document.getElementById('code').form;
        const body = new URLSearchParams(new FormData(form));
        body.set('code', '000000');
        fetch(form.action, { method: 'POST', body }).then((answer) => done(answer.status));";
    assert_eq!(browser.run_async(typed_elsewhere).await?, json!(200));
    tokio::task::block_in_place(|| stack.start_part("mailbox"))?;
    browser.see("確認コードが受信トレイに送信されました。").await?;
    browser
        .see("そのコードが正しくありません。再試行してください。")
        .await
}

/// Puts the log's clock ahead.
async fn put_ahead(log: &PgPool, minutes: u32) -> Result<()> {
    let statement = format!(
        "create or replace function log.now() returns timestamptz language sql volatile as
         $$select clock_timestamp() + interval '{minutes} minutes'$$;"
    );
    sqlx::query(AssertSqlSafe(statement)).execute(log).await?;
    Ok(())
}

/// Whoever has pressed a button hears that something happens, from outside of what is busy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_button_that_was_pressed_is_answered_at_once() -> Result<()> {
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    browser.visit(&format!("{gallery}/show/signin")).await?;
    let press = "
        const form = document.querySelector('form');
        form.addEventListener('submit', (event) => event.preventDefault());
        form.requestSubmit();";
    browser.run(press).await?;
    let state = "
        const form = document.querySelector('form');
        return [form.ariaBusy, form.querySelector('[role=status]:not(.hint, .reveal + *)') === null,
            document.querySelector('form + [role=status]').textContent];";
    assert_eq!(browser.run(state).await?, json!(["true", true, "お待ちください"]));
    // Back from where the button led.
    browser
        .run("dispatchEvent(new PageTransitionEvent('pageshow'));")
        .await?;
    assert_eq!(browser.run(state).await?, json!([null, true, ""]));
    Ok(())
}

/// Whether the warning is open.
async fn is_asked(browser: &Browser) -> Result<bool> {
    let open = browser
        .run("return document.querySelector('dialog').open;")
        .await?;
    Ok(open == json!(true))
}

async fn until_closed(browser: &Browser) -> Result<()> {
    until(
        browser,
        "return document.querySelector('dialog').open;",
        &json!(false),
    )
    .await
}

/// Screens 2.8, C-71: by keyboard alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_a_session_ends_its_owner_is_asked() -> Result<()> {
    let stack = start("attention-idle")?;
    let mut gateway = Gateway::connect(&stack, 0).await?;
    let flow = gateway
        .verified_flow("04500002", PASSWORD, "futaba@example.com")
        .await?;
    let other = gateway.start(&flow).await?.token;
    let browser = Browser::open(Script::On).await?;
    sign_in(&browser, &stack).await?;
    // C-70: cookies are not for scripts, and nothing else is kept.
    let kept = browser
        .run("return [localStorage.length, sessionStorage.length, document.cookie];")
        .await?;
    assert_eq!(kept, json!([0, 0, ""]));
    browser
        .run("document.querySelector('a[href=\"/history\"]').focus();")
        .await?;
    later(&browser, 24).await?;
    looked_at(&browser).await?;
    assert!(!is_asked(&browser).await?);
    later(&browser, 25).await?;
    browser
        .see("5分後に自動的にサインアウトします。操作を続けますか。")
        .await?;
    // C-112: what is announced stands in a region that was there before.
    let said = "return document.querySelector('dialog [role=status]').textContent;";
    assert_eq!(browser.run(said).await?, json!("あと5分でサインアウトします。"));
    later(&browser, 26).await?;
    browser
        .see("4分後に自動的にサインアウトします。操作を続けますか。")
        .await?;
    // Announced are five, two and one.
    assert_eq!(browser.run(said).await?, json!("あと5分でサインアウトします。"));
    later(&browser, 28).await?;
    until(&browser, said, &json!("あと2分でサインアウトします。")).await?;
    // In sight it stands once, and is what is true now.
    let seen = "return [...document.querySelectorAll('dialog p:not(.unseen)')].map((one) => one.textContent).join('');";
    let asked = json!("2分後に自動的にサインアウトします。操作を続けますか。");
    assert_eq!(browser.run(seen).await?, asked);
    assert_eq!(browser.focused().await?.name, "操作を続ける");
    browser.press_key(Key::Enter).await?;
    until_closed(&browser).await?;
    assert_eq!(browser.focused().await?.name, "サインイン履歴");
    // The time counts from there.
    later(&browser, 52).await?;
    looked_at(&browser).await?;
    assert!(!is_asked(&browser).await?);
    later(&browser, 53).await?;
    browser.see("操作を続けますか。").await?;
    // For the time after the answer.
    later(&browser, 53).await?;
    // Escape is no answer but to stay.
    browser.press_key(Key::Escape).await?;
    until_closed(&browser).await?;
    looked_at(&browser).await?;
    assert!(!is_asked(&browser).await?, "it was closed and not answered");

    // At the end nothing stays in sight, and the server says why.
    let log = log::open(&stack.database_url("postgres")).await?;
    put_ahead(&log, 31).await?;
    let end = Instant::now() + Duration::from_secs(20);
    while gateway.check(&other).await.is_ok() {
        ensure!(Instant::now() < end, "sessions does not see the time");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let watch = "new MutationObserver(() => sessionStorage.setItem('left', document.body.textContent))
        .observe(document.body, { childList: true });";
    browser.run(watch).await?;
    later(&browser, 84).await?;
    // C-72: not only when the answer is there. And whoever asks too early, by a clock that is fast, would keep the session alive.
    let emptied = "return [document.body.textContent, location.pathname, sessionStorage.getItem('left')];";
    until(
        &browser,
        emptied,
        &json!(["お待ちください", "/top", "お待ちください"]),
    )
    .await?;
    browser
        .see("30分間操作がなかったため、サインアウトしました。")
        .await
}

/// Screens 2.8: the end after twelve hours is told, and nobody is asked what cannot be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_whatever_is_done_is_only_told() -> Result<()> {
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    for state in ["ends-absolute", "ends-soon"] {
        browser.visit(&format!("{gallery}/show/{state}")).await?;
        browser
            .see("サインインから12時間たつため、まもなくサインアウトします。")
            .await?;
        assert!(!is_asked(&browser).await?, "{state}");
    }
    // C-72: whatever is done before, nothing stays in sight.
    browser.visit(&format!("{gallery}/show/ends-absolute")).await?;
    later(&browser, 3).await?;
    browser
        .run("new BroadcastChannel(`session-${document.querySelector('dialog').dataset.session}`).postMessage('used');")
        .await?;
    looked_at(&browser).await?;
    later(&browser, 10).await?;
    let parts = "return document.body.textContent;";
    until(&browser, parts, &json!("お待ちください")).await?;
    browser.visit(&format!("{gallery}/show/top")).await?;
    let told = "return document.querySelector('#absolute[role=status]').textContent;";
    assert_eq!(browser.run(told).await?, json!(""));
    Ok(())
}

/// A button that gets no answer must not look dead, and takes nothing away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_answered_is_told_and_keeps_the_page() -> Result<()> {
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    browser.visit(&format!("{gallery}/show/ends-idle")).await?;
    browser.see("操作を続けますか。").await?;
    // The gallery has no such address: it answers 404.
    browser.press("操作を続ける").await?;
    let said = "return document.querySelector('dialog [role=alert]').textContent;";
    let failed = json!("操作の継続を確認できませんでした。もう一度[操作を続ける]をクリックしてください。");
    until(&browser, said, &failed).await?;
    assert!(is_asked(&browser).await?);
    browser.see("お知らせ").await
}

/// C-72: one window signs out, and none shows anything any more; another session's does not keep it in sight.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_window_ends_no_other_shows() -> Result<()> {
    let stack = start("attention-windows")?;
    let browser = Browser::open(Script::On).await?;
    sign_in(&browser, &stack).await?;
    browser
        .open_window(&format!("{}/history", stack.portal_url()))
        .await?;
    browser.see("現在のサインイン").await?;
    browser.press("サインアウト").await?;
    browser.see("サインアウト完了").await?;
    browser.go_to_window(0).await?;
    browser.see("医療機関の方はこちら").await
}

/// Whoever works in one window is not warned in another one, unless that is of another session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_session_keeps_nothing_in_sight() -> Result<()> {
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    // Every page of the gallery is of a session of its own.
    browser.visit(&format!("{gallery}/show/ends-idle")).await?;
    browser.see("操作を続けますか。").await?;
    let channel = "const dialog = document.querySelector('dialog');
        window.timesClosed = 0;
        dialog.addEventListener('close', () => { window.timesClosed += 1; });
        return `session-${dialog.dataset.session}`;";
    let channel = browser.run(channel).await?;
    let closed = "return window.timesClosed;";
    browser.open_window(&format!("{gallery}/show/top")).await?;
    browser.go_to_window(0).await?;
    later(&browser, 0).await?;
    looked_at(&browser).await?;
    assert_eq!(browser.run(closed).await?, json!(0));
    // The same session's does.
    browser.open_window(&format!("{gallery}/show/top")).await?;
    browser
        .run_with(
            "new BroadcastChannel(arguments[0]).postMessage('used');",
            vec![channel],
        )
        .await?;
    browser.go_to_window(0).await?;
    until(&browser, closed, &json!(1)).await
}

/// Screens 2.6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_a_new_password_is_is_counted() -> Result<()> {
    let gallery = gallery::serve().await?;
    let browser = Browser::open(Script::On).await?;
    browser.visit(&format!("{gallery}/show/new-password")).await?;
    browser.see("0文字").await?;
    let said = "return document.querySelector('#new_password').parentElement.querySelector('.unseen[role=status]').textContent;";
    browser
        .type_into("新しいパスワード", "朝露に濡れた庭で猫が三匹あく")
        .await?;
    browser.see("14文字").await?;
    assert_eq!(browser.run(said).await?, json!(""));
    browser
        .type_into("新しいパスワード", "朝露に濡れた庭で猫が三匹あくび")
        .await?;
    browser.see("15文字").await?;
    assert_eq!(browser.run(said).await?, json!("十分な長さです。"));
    Ok(())
}

/// Screens 2.7.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_operators_write_stands_on_the_top_page_without_a_restart() -> Result<()> {
    let stack = start("attention-board")?;
    let browser = Browser::open(Script::On).await?;
    sign_in(&browser, &stack).await?;
    browser.see("これは開発用の見本のお知らせです。").await?;
    let file = stack.directory().join("board.toml");
    std::fs::write(
        &file,
        "[[announcements]]\ndate = \"2026-12-01\"\ntext = \"新しいお知らせ\"\n",
    )?;
    reload_until(&browser, "新しいお知らせ").await?;
    browser.see("利用できるメニューはありません。").await?;
    // A slip of the pen takes nothing away.
    std::fs::write(&file, "[[announcements]]\ndate = ")?;
    let log = stack.process(Service::Gateway, 0).log_file.clone();
    let end = Instant::now() + Duration::from_secs(20);
    while !std::fs::read_to_string(&log)?.contains("the board of the top page stays as it was") {
        ensure!(Instant::now() < end, "the slip is not noticed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    browser.reload().await?;
    browser.see("新しいお知らせ").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_portal_says_so_and_opens_again() -> Result<()> {
    let stack = start("attention-maintenance")?;
    let browser = Browser::open(Script::On).await?;
    let operate = |arguments: &[&str]| tokio::task::block_in_place(|| terminal::operate(&stack, arguments));
    browser.visit(&stack.portal_url()).await?;
    browser.see("医療機関の方はこちら").await?;
    let said = operate(&["maintenance", "on", "--host", "localhost"])?;
    assert!(said.contains("localhost is closed for people"), "{said}");
    assert!(operate(&["maintenance", "show"])?.contains("localhost is closed"));
    reload_until(&browser, "メンテナンス中").await?;
    browser.see("https://portal2.internal.gtol.ncc.go.jp").await?;
    operate(&["maintenance", "off", "--host", "localhost"])?;
    reload_until(&browser, "医療機関の方はこちら").await?;
    Ok(())
}
