//! パスワードの再設定.

use sekisho_proto::otp::v1::flow_view::Stage;
use tonic::Code;

use crate::browser::Browser;
use crate::world::{World, at};

pub const STATES: &[&str] = &[
    "forgot",
    "forgot-empty",
    "forgot-stale",
    "forgot-over",
    "reset-sent",
    "must-change",
    "reset-missing",
    "reset-malformed",
    "reset-wrong",
    "reset-expired",
    "reset-spent",
    "reset-too-soon",
    "reset-too-many",
    "reset-locked",
    "reset-closed",
    "reset-stale",
    "reset-cancelled",
    "new-password",
    "new-empty",
    "new-short",
    "new-long",
    "new-mismatch",
    "new-common",
    "new-contextual",
    "new-unchanged",
    "new-stale",
    "reset-done",
];

const FORGOT: &str = "/password/forgot";
const SEND: &str = "/password/forgot/code/send";
const VERIFY: &str = "/password/forgot/code/verify";
const NEW: &str = "/password/forgot/new";
const CANCEL: &str = "/password/forgot/cancel";

pub async fn show(world: &World, browser: &mut Browser, name: &str) {
    match name {
        "must-change" => {
            world.state().must_change = true;
            browser.sign_in().await;
        }
        "reset-done" => {
            browser.forget_and_prove().await;
            browser
                .press(
                    NEW,
                    &[
                        ("new_password", "canary-new"),
                        ("new_password_again", "canary-new"),
                    ],
                )
                .await;
        }
        "forgot" | "forgot-empty" | "forgot-stale" => forgot(browser, name).await,
        _ if name.starts_with("new") => new_password(world, browser, name).await,
        _ => code(world, browser, name).await,
    }
}

async fn forgot(browser: &mut Browser, name: &str) {
    browser.open("/signin").await;
    let foreign = browser.page.fields("/signin")["csrf"].clone();
    browser.open(FORGOT).await;
    match name {
        "forgot-empty" => drop(browser.press(FORGOT, &[("user_id", "")]).await.clone()),
        "forgot-stale" => {
            let typed = [("user_id", "04500001"), ("csrf", &foreign)];
            browser.press(FORGOT, &typed).await;
        }
        _ => {}
    }
}

async fn code(world: &World, browser: &mut Browser, name: &str) {
    browser.forget().await;
    match name {
        "forgot-over" => world.refuse("GetFlow", Code::FailedPrecondition, "EVIDENCE_CUT"),
        "reset-expired" => world.state().flow.stage = Stage::Expired.into(),
        "reset-spent" => world.state().flow.stage = Stage::Spent.into(),
        "reset-locked" => world.state().flow.stage = Stage::Locked.into(),
        "reset-closed" => world.state().flow.stage = Stage::Closed.into(),
        "reset-too-soon" => {
            world.state().flow.resend_at = Some(at(42));
            world.refuse("IssueCode", Code::FailedPrecondition, "OTP_TOO_SOON");
        }
        "reset-too-many" => world.refuse("IssueCode", Code::FailedPrecondition, "OTP_TOO_MANY_CODES"),
        _ => {}
    }
    match name {
        "reset-missing" => browser.press(VERIFY, &[("code", "")]).await,
        "reset-malformed" => browser.press(VERIFY, &[("code", "12")]).await,
        "reset-wrong" => browser.press(VERIFY, &[("code", "999999")]).await,
        "reset-too-soon" | "reset-too-many" => browser.press(SEND, &[]).await,
        "reset-cancelled" => browser.press(CANCEL, &[]).await,
        "reset-stale" => {
            let mark = browser.page.fields(CANCEL)["csrf"].clone();
            browser.press(SEND, &[("csrf", &mark)]).await
        }
        _ => browser.open("/password/forgot/code").await,
    };
}

async fn new_password(world: &World, browser: &mut Browser, name: &str) {
    browser.forget_and_prove().await;
    let reason = match name {
        "new-password" => return,
        "new-short" => Some("PASSWORD_TOO_SHORT"),
        "new-long" => Some("PASSWORD_TOO_LONG"),
        "new-common" => Some("PASSWORD_COMMON"),
        "new-contextual" => Some("PASSWORD_CONTEXTUAL"),
        "new-unchanged" => Some("PASSWORD_UNCHANGED"),
        _ => None,
    };
    if let Some(reason) = reason {
        world.refuse("SetPassword", Code::InvalidArgument, reason);
    }
    let mark = match name {
        "new-stale" => browser.page.fields(CANCEL)["csrf"].clone(),
        _ => browser.page.fields(NEW)["csrf"].clone(),
    };
    let (typed, again) = match name {
        "new-empty" => ("", ""),
        "new-mismatch" => ("canary-new", "other"),
        _ => ("canary-new", "canary-new"),
    };
    let fields = [
        ("new_password", typed),
        ("new_password_again", again),
        ("csrf", &mark),
    ];
    browser.press(NEW, &fields).await;
}
