//! `/signin/email`.

use sekisho_proto::otp::v1::flow_view::{Mail, Stage};
use tonic::Code;

use crate::browser::Browser;
use crate::world::{CODE, OLD_CODE, World, at};

pub const STATES: &[&str] = &[
    "not-sent",
    "sent",
    "sending",
    "failed",
    "code-missing",
    "malformed",
    "wrong-code",
    "old-code",
    "expired",
    "spent",
    "too-soon",
    "too-many",
    "codes-locked",
    "codes-closed",
    "not-verified",
    "stale",
    "verified",
];

pub async fn show(world: &World, browser: &mut Browser, name: &str) {
    browser.sign_in().await;
    if name == "not-sent" {
        return;
    }
    browser.press("/signin/email/send", &[]).await;
    match name {
        "sending" => world.state().flow.mail = Mail::Waiting.into(),
        "failed" => world.state().flow.mail = Mail::Failed.into(),
        "expired" => world.state().flow.stage = Stage::Expired.into(),
        "spent" => world.state().flow.stage = Stage::Spent.into(),
        "codes-locked" => world.state().flow.stage = Stage::Locked.into(),
        "codes-closed" => world.state().flow.stage = Stage::Closed.into(),
        "too-soon" => {
            world.state().flow.resend_at = Some(at(42));
            world.refuse("IssueCode", Code::FailedPrecondition, "OTP_TOO_SOON");
        }
        "too-many" => world.refuse("IssueCode", Code::FailedPrecondition, "OTP_TOO_MANY_CODES"),
        _ => {}
    }
    let typed = |code| [("code", code)];
    match name {
        "too-soon" | "too-many" => browser.press("/signin/email/send", &[]).await,
        "code-missing" => browser.press("/signin/email/verify", &typed("")).await,
        "malformed" => browser.press("/signin/email/verify", &typed("12")).await,
        "wrong-code" => browser.press("/signin/email/verify", &typed("999999")).await,
        "old-code" => browser.press("/signin/email/verify", &typed(OLD_CODE)).await,
        "verified" => browser.press("/signin/email/verify", &typed(CODE)).await,
        "not-verified" => browser.press("/signin/email/continue", &[]).await,
        "stale" => {
            let mark = browser.page.fields("/signin/cancel")["csrf"].clone();
            browser.press("/signin/email/continue", &[("csrf", &mark)]).await
        }
        _ => browser.open("/signin/email").await,
    };
}
