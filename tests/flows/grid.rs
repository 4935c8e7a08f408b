//! Every flow, with mistakes and without, in whatever browser window, on either host.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_proto::credentials::v1::RegisterAccountRequest;
use sekisho_tests::accounts::{administration, hash};
use sekisho_tests::browser::{Browser, Script};
use sekisho_tests::{PASSWORD, mail};

use super::terminal;

const NEW: &str = "朝露に濡れた庭で猫が三匹あくびする";
const NARROW: u32 = 320;
const WIDE: u32 = 1280;
/// The second host, of this machine.
const STANDBY: &str = "portal2.localhost";

/// Who comes how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Case {
    script: Script,
    standby: bool,
    width: u32,
}

/// Each two of the three go together in each way.
const COVERING: [Case; 4] = [
    case(Script::On, false, WIDE),
    case(Script::On, true, NARROW),
    case(Script::Blocked, false, NARROW),
    case(Script::Blocked, true, WIDE),
];

/// Those who guess until the account is locked. Not all: from one address come 60 wrong passwords in five minutes at most.
const LOCKING: [Case; 2] = [COVERING[0], COVERING[2]];

const fn case(script: Script, standby: bool, width: u32) -> Case {
    Case {
        script,
        standby,
        width,
    }
}

/// One person on the way.
struct Walk {
    browser: Browser,
    case: Case,
    portal: String,
    mailbox: String,
    login: String,
    address: String,
}

fn start(name: &str) -> Result<Stack> {
    let options = StackOptions {
        name: name.to_owned(),
        provider: true,
        ..StackOptions::default()
    };
    tokio::task::block_in_place(|| Stack::start(&options))
}

/// The host is closed, however somebody comes.
async fn closed(stack: &Stack, cases: impl IntoIterator<Item = Case>) -> Result<()> {
    for case in cases {
        let host = if case.standby { STANDBY } else { "localhost" };
        let say = |what: &str| {
            let arguments = ["maintenance", what, "--host", host];
            tokio::task::block_in_place(|| terminal::operate(stack, &arguments))
        };
        say("on")?;
        let browser = Browser::open(case.script).await?;
        browser.show_in_width(case.width).await?;
        let portal = portal(stack, case);
        // Gateways ask every two seconds.
        let end = Instant::now() + Duration::from_secs(20);
        while browser.title().await? != "エラー：メンテナンス中 | がん登録オンラインシステム"
        {
            ensure!(Instant::now() < end, "{case:?}: the portal is open");
            browser.visit(&format!("{portal}/")).await?;
        }
        let elsewhere = browser
            .text()
            .await?
            .contains("https://portal2.internal.gtol.ncc.go.jp");
        ensure!(elsewhere != case.standby, "{case:?}: where else the portal is");
        let (frame, content) = browser.widths().await?;
        ensure!(content <= frame, "{case:?}: {content} in {frame}");
        say("off")?;
    }
    Ok(())
}

fn portal(stack: &Stack, case: Case) -> String {
    let port = stack.process(Service::Gateway, 0).address.port();
    let host = if case.standby { STANDBY } else { "localhost" };
    format!("http://{host}:{port}")
}

/// With an account of its own: limits are per account.
async fn walk(stack: &Stack, number: usize, case: Case) -> Result<()> {
    let login = format!("0450010{number}");
    let address = format!("grid{number}@example.com");
    let account = RegisterAccountRequest {
        login_id: login.clone(),
        facility_code: "045001".to_owned(),
        facility: "見本総合医療センター".to_owned(),
        name: "見本 五月".to_owned(),
        address: address.clone(),
        password_hash: hash()?,
        ..RegisterAccountRequest::default()
    };
    administration(stack).await?.register_account(account).await?;
    let walk = Walk {
        browser: Browser::open(case.script).await?,
        case,
        portal: portal(stack, case),
        mailbox: stack.mailbox_url(),
        login,
        address,
    };
    walk.browser.show_in_width(case.width).await?;
    walk.sign_in()
        .await
        .with_context(|| format!("sign-in, {case:?}"))?;
    walk.sign_out()
        .await
        .with_context(|| format!("sign-out, {case:?}"))?;
    walk.reset().await.with_context(|| format!("reset, {case:?}"))?;
    if LOCKING.contains(&case) {
        walk.lock().await.with_context(|| format!("lock, {case:?}"))?;
    }
    walk.staff().await.with_context(|| format!("staff, {case:?}"))
}

impl Walk {
    /// What the page says, in a window that it fits.
    async fn see(&self, text: &str) -> Result<()> {
        self.browser.see(text).await?;
        let (frame, content) = self.browser.widths().await?;
        ensure!(content <= frame, "{text}: {content} in {frame}");
        let banner = self
            .browser
            .text()
            .await?
            .contains("予備のサイト（portal2）に接続しています。");
        // The provider's pages are not ours.
        ensure!(
            banner == self.case.standby || !self.browser.address().await?.starts_with(&self.portal),
            "{text}: the banner"
        );
        Ok(())
    }

    /// What the page says is wrong.
    async fn see_mistake(&self, text: &str) -> Result<()> {
        self.see(text).await?;
        let title = self.browser.title().await?;
        ensure!(title.starts_with("エラー："), "{text}: {title}");
        Ok(())
    }

    async fn type_and_press(&self, typed: &[(&str, &str)], button: &str) -> Result<()> {
        for (label, text) in typed {
            self.browser.type_into(label, text).await?;
        }
        self.browser.press(button).await
    }

    fn mails(&self, at_least: usize) -> Result<Vec<mail::Mail>> {
        tokio::task::block_in_place(|| mail::wait_for(&self.mailbox, &self.address, at_least))
    }

    fn mails_so_far(&self) -> Result<usize> {
        tokio::task::block_in_place(|| Ok(mail::to(&self.mailbox, &self.address)?.len()))
    }

    async fn type_code(&self, before: usize) -> Result<()> {
        let mails = self.mails(before + 1)?;
        let code = mails.last().context("no mail")?.code()?;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        self.type_and_press(&[("確認コード", "")], "コードの確認").await?;
        self.see_mistake("確認コードを入力してください。").await?;
        self.type_and_press(&[("確認コード", "12")], "コードの確認")
            .await?;
        self.see_mistake("確認コードは6桁の数字で入力してください。")
            .await?;
        self.type_and_press(&[("確認コード", wrong)], "コードの確認")
            .await?;
        self.see_mistake("そのコードが正しくありません。再試行してください。")
            .await?;
        self.type_and_press(&[("確認コード", &code)], "コードの確認")
            .await
    }

    async fn sign_in(&self) -> Result<()> {
        self.browser.visit(&format!("{}/", self.portal)).await?;
        self.see("医療機関の方はこちら").await?;
        self.browser.press("サインイン").await?;
        self.see_mistake("利用者IDを入力してください。").await?;
        let unknown = [("利用者ID", "O4599999"), ("パスワード", PASSWORD)];
        self.type_and_press(&unknown, "サインイン").await?;
        self.see_mistake("ご利用のアカウントが見つからないようです。")
            .await?;
        let wrong = [("利用者ID", self.login.as_str()), ("パスワード", "wrong")];
        self.type_and_press(&wrong, "サインイン").await?;
        self.see_mistake("パスワードが正しくありません。").await?;
        self.type_and_press(&[("パスワード", PASSWORD)], "サインイン")
            .await?;
        self.see("確認が必要です。[送信] ボタンをクリックしてください。")
            .await?;
        self.browser.press("続行").await?;
        self.see_mistake("メールアドレスの確認が完了していません。")
            .await?;
        let before = self.mails_so_far()?;
        self.browser.press("確認コードを送信").await?;
        self.see("確認コードが受信トレイに送信されました。").await?;
        self.browser.press("新しいコードを送信します").await?;
        self.see("新しいコードは、あと").await?;
        self.type_code(before).await?;
        self.see("電子メール アドレスが確認されました。今すぐ続行できます。")
            .await?;
        self.browser.press("続行").await?;
        self.see("見本総合医療センター").await
    }

    async fn sign_out(&self) -> Result<()> {
        self.browser.press("サインイン履歴").await?;
        self.see("正しくない確認コードが入力されました。").await?;
        self.see("この端末以外でのサインインはありません。").await?;
        self.browser.press("サインアウト").await?;
        self.see("サインアウト完了").await?;
        let step = if self.case.standby {
            "[sub-gtol-vpn]"
        } else {
            "[main-gtol-vpn]"
        };
        self.see(step).await?;
        self.browser.visit(&format!("{}/top", self.portal)).await?;
        self.see("医療機関の方はこちら").await
    }

    async fn reset(&self) -> Result<()> {
        self.browser.press("パスワードを忘れた場合（再設定）").await?;
        self.see("登録されているメールアドレスに確認コードを送信します。")
            .await?;
        self.browser.press("確認コードを送信").await?;
        self.see_mistake("利用者IDを入力してください。").await?;
        let before = self.mails_so_far()?;
        self.type_and_press(&[("利用者ID", &self.login)], "確認コードを送信")
            .await?;
        self.see("入力された利用者IDが登録されている場合、").await?;
        self.type_code(before).await?;
        self.see("新しいパスワードは、15文字以上128文字以内で入力してください。")
            .await?;
        for (first, second, mistake) in [
            ("short", "short", "15文字以上で入力してください。"),
            (NEW, "another", "2つの欄のパスワードが一致しません。"),
        ] {
            let typed = [("新しいパスワード", first), ("新しいパスワード（確認）", second)];
            self.type_and_press(&typed, "パスワードを変更").await?;
            self.see_mistake(mistake).await?;
        }
        let typed = [("新しいパスワード", NEW), ("新しいパスワード（確認）", NEW)];
        self.type_and_press(&typed, "パスワードを変更").await?;
        self.see("新しいパスワードでサインインしてください。").await
    }

    /// Ten wrong passwords in a row. On a machine that is busy an answer may come too late; whether the password was counted then, nobody
    /// knows, and who is told to try again later does.
    async fn lock(&self) -> Result<()> {
        const WRONG: &str = "パスワードが正しくありません。";
        const LATER: &str = "一時的に利用できません";
        const LOCKED: &str = "ご使用のアカウントは、不正使用を防ぐために一時的にロックされています。";
        self.browser.visit(&format!("{}/signin", self.portal)).await?;
        let (mut told, mut unanswered) = (0, 0);
        while told < 10 {
            let guess = format!("wrong-{told}-{unanswered}");
            let typed = [("利用者ID", self.login.as_str()), ("パスワード", guess.as_str())];
            self.type_and_press(&typed, "サインイン").await?;
            match self.browser.see_one_of(&[WRONG, LATER, LOCKED]).await? {
                WRONG => {
                    self.see_mistake(WRONG).await?;
                    told += 1;
                }
                LATER => {
                    unanswered += 1;
                    self.browser.visit(&format!("{}/signin", self.portal)).await?;
                }
                _ => break,
            }
        }
        ensure!(
            told + unanswered >= 10 && unanswered <= 3,
            "{told} told, {unanswered} not answered"
        );
        let typed = [("利用者ID", self.login.as_str()), ("パスワード", NEW)];
        self.type_and_press(&typed, "サインイン").await?;
        self.see_mistake(LOCKED).await
    }

    async fn staff(&self) -> Result<()> {
        self.browser.visit(&format!("{}/signin", self.portal)).await?;
        self.browser.press("NCRアカウントでサインイン").await?;
        self.browser.see("NCRアカウント（開発用）").await?;
        self.browser.press("キャンセル").await?;
        self.see_mistake("サインインをキャンセルしました。").await?;
        self.come_from_provider("ncr-staff-2").await?;
        self.see_mistake("このNCRアカウントには、GTOLの利用が許可されていません。")
            .await?;
        self.come_from_provider("ncr-staff-1").await?;
        if self.case.script == Script::Blocked {
            // The provider's own page, where somebody else was before; with script it goes on by itself.
            self.browser.press("Continue").await?;
        }
        self.see("見本がん対策部").await
    }

    async fn come_from_provider(&self, name: &str) -> Result<()> {
        self.browser.press("NCRアカウントでサインイン").await?;
        self.browser.see("NCRアカウント（開発用）").await?;
        let typed = [("NCRアカウント", name), ("パスワード", "ncr-demo-2026")];
        self.type_and_press(&typed, "サインイン").await
    }
}

/// Screens 2.0: script and none, both hosts, narrow and wide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flow_works_in_a_covering_selection() -> Result<()> {
    let stack = start("grid")?;
    for (number, case) in COVERING.into_iter().enumerate() {
        walk(&stack, number, case).await?;
    }
    closed(&stack, COVERING).await
}

mod long_grid {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "long tier"]
    async fn every_flow_works_however_somebody_comes() -> Result<()> {
        let stack = start("grid-whole")?;
        let mut all = Vec::new();
        for script in [Script::On, Script::Blocked] {
            for standby in [false, true] {
                all.extend([NARROW, WIDE].map(|width| case(script, standby, width)));
            }
        }
        for (number, case) in all.iter().enumerate() {
            walk(&stack, number, *case).await?;
        }
        closed(&stack, all).await
    }
}
