//! For people: `SEKISHO_GALLERY=127.0.0.1:8090 cargo test -p sekisho-gateway --test pages gallery::gallery -- --ignored`
//! shows every page and state until it is stopped; `gallery::live` instead lets one walk through them.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use sekisho_proto::credentials::v1::finish_federated_sign_in_response::Reason as Unvouched;
use sekisho_proto::credentials::v1::verify_password_response::Reason;
use sekisho_proto::otp::v1::flow_view::{Mail, Stage};
use tonic::Code;

use crate::browser::{Browser, STANDBY, alone};
use crate::world::{CODE, OLD_CODE, World, at};

/// Every page and state, by name.
pub const STATES: [&str; 63] = [
    "signin",
    "unknown",
    "wrong",
    "empty",
    "locked",
    "cancelled",
    "idle",
    "standby",
    "not-sent",
    "sent",
    "sending",
    "wrong-code",
    "old-code",
    "malformed",
    "not-verified",
    "stale",
    "expired",
    "spent",
    "failed",
    "too-soon",
    "too-many",
    "codes-locked",
    "codes-closed",
    "verified",
    "top",
    "top-long",
    "signout",
    "signed-out",
    "unrecorded",
    "forgot",
    "forgot-empty",
    "forgot-stale",
    "forgot-over",
    "reset-sent",
    "reset-wrong",
    "reset-expired",
    "reset-spent",
    "reset-too-many",
    "reset-locked",
    "reset-closed",
    "must-change",
    "new-password",
    "new-mismatch",
    "new-short",
    "new-common",
    "new-contextual",
    "new-unchanged",
    "reset-done",
    "to-ncr",
    "ncr-cancelled",
    "ncr-retry",
    "ncr-failed",
    "ncr-unreachable",
    "ncr-no-account",
    "ncr-disabled",
    "ncr-factor-missing",
    "ncr-top",
    "ncr-sign-out",
    "ncr-signed-out",
    "not-found",
    "forged",
    "cookies",
    "down",
];

#[tokio::test]
#[ignore = "for people: serves until it is stopped"]
async fn gallery() {
    let address = std::env::var("SEKISHO_GALLERY").unwrap_or("127.0.0.1:8090".into());
    let files = Browser::new(&World::new()).await;
    let app = Router::new()
        .route(
            "/",
            get(async || {
                Html(
                    STATES
                        .map(|name| format!("<p><a href=/show/{name}>{name}</a>"))
                        .concat(),
                )
            }),
        )
        .route(
            "/show/{name}",
            get(async |Path(name): Path<String>| Html(show(&name).await.page.text)),
        )
        .route("/assets/{name}", get(asset))
        .with_state(files);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, app).await.unwrap();
}

async fn asset(State(mut files): State<Browser>, Path(name): Path<String>) -> Response {
    let file = files.open(&format!("/assets/{name}")).await;
    (
        [("content-type", file.header("content-type").to_owned())],
        file.text.clone(),
    )
        .into_response()
}

#[tokio::test]
#[ignore = "for people: serves until it is stopped"]
async fn live() {
    let address = std::env::var("SEKISHO_GALLERY").unwrap_or("127.0.0.1:8090".into());
    let app = Browser::new(&World::new()).await.router;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .await
        .unwrap();
}

/// A browser in which the page with this name is open.
pub async fn show(name: &str) -> Browser {
    let world = World::new();
    let mut browser = Browser::new(&world).await;
    match name {
        "signin" => drop(browser.open("/").await.clone()),
        "unknown" => reject(&world, &mut browser, Reason::UnknownAccount).await,
        "wrong" => reject(&world, &mut browser, Reason::WrongPassword).await,
        "locked" => reject(&world, &mut browser, Reason::Locked).await,
        "empty" => {
            browser.open("/signin").await;
            browser
                .press("/signin", &[("user_id", ""), ("password", "")])
                .await;
        }
        "standby" => {
            browser.host = STANDBY;
            browser.open("/signin").await;
        }
        "idle" => {
            browser.sign_in_fully().await;
            world.refuse("Check", Code::Unauthenticated, "SESSION_IDLE");
            browser.open("/top").await;
        }
        "to-ncr" => {
            browser.open("/signin").await;
            browser.press("/ncr/start", &[]).await;
        }
        _ if name.starts_with("ncr-") => staff(&world, &mut browser, name).await,
        "forgot" => drop(browser.open("/password/forgot").await.clone()),
        "reset-done" => drop(browser.open("/password/forgot/done").await.clone()),
        "must-change" => {
            world.state().must_change = true;
            browser.sign_in().await;
        }
        _ if name.starts_with("forgot") || name.starts_with("reset") => {
            reset(&world, &mut browser, name).await;
        }
        _ if name.starts_with("new") => new_password(&world, &mut browser, name).await,
        "not-found" => drop(browser.open("/nowhere").await.clone()),
        "forged" => {
            browser.open("/signin").await;
            browser
                .press("/signin", &[("csrf", "x"), ("user_id", "1"), ("password", "1")])
                .await;
        }
        "cookies" => {
            browser.open("/signin").await;
            browser.cookies.clear();
            browser
                .press("/signin", &[("user_id", "1"), ("password", "1")])
                .await;
        }
        "down" => {
            browser.open("/signin").await;
            browser.router = Browser::at(alone()).router;
            browser
                .press("/signin", &[("user_id", "1"), ("password", "1")])
                .await;
        }
        "top" | "top-long" | "signout" | "signed-out" | "unrecorded" => {
            signed_in(&world, &mut browser, name).await;
        }
        _ => email(&world, &mut browser, name).await,
    }
    browser
}

async fn reject(world: &World, browser: &mut Browser, reason: Reason) {
    world.state().rejected = Some(reason);
    browser.sign_in().await;
}

async fn signed_in(world: &World, browser: &mut Browser, name: &str) {
    if name == "top-long" {
        let facility =
            "独立行政法人地域医療機能推進機構\u{8fbb}\u{e0100}東京\u{20bb7}野家総合医療センター".repeat(6);
        world.state().person = Some((facility, "斉\u{e0101}藤 ".repeat(8)));
        world.state().last = None;
    }
    browser.sign_in_fully().await;
    match name {
        "signout" => drop(browser.open("/signout").await.clone()),
        "signed-out" => drop(browser.press("/signout", &[]).await.clone()),
        "unrecorded" => {
            world.state().unrecorded = true;
            browser.press("/signout", &[]).await;
        }
        _ => {}
    }
}

async fn staff(world: &World, browser: &mut Browser, name: &str) {
    world.state().unvouched = match name {
        "ncr-cancelled" => Some(Unvouched::Cancelled),
        "ncr-retry" => Some(Unvouched::Retry),
        "ncr-failed" => Some(Unvouched::Token),
        "ncr-unreachable" => Some(Unvouched::ProviderUnreachable),
        "ncr-no-account" => Some(Unvouched::NoAccount),
        "ncr-disabled" => Some(Unvouched::Disabled),
        "ncr-factor-missing" => Some(Unvouched::FactorMissing),
        _ => None,
    };
    if name == "ncr-signed-out" {
        world.state().end_session_url.clear();
    }
    browser.come_back().await;
    if matches!(name, "ncr-sign-out" | "ncr-signed-out") {
        browser.press("/signout", &[]).await;
    }
}

async fn reset(world: &World, browser: &mut Browser, name: &str) {
    if name == "forgot-empty" || name == "forgot-stale" {
        browser.open("/signin").await;
        let foreign = browser.page.fields("/signin")["csrf"].clone();
        browser.open("/password/forgot").await;
        let typed: &[(&str, &str)] = if name == "forgot-empty" {
            &[("user_id", "")]
        } else {
            &[("user_id", "04500001"), ("csrf", &foreign)]
        };
        browser.press("/password/forgot", typed).await;
        return;
    }
    browser.forget().await;
    match name {
        "forgot-over" => world.refuse("GetFlow", Code::FailedPrecondition, "EVIDENCE_CUT"),
        "reset-expired" => world.state().flow.stage = Stage::Expired.into(),
        "reset-spent" => world.state().flow.stage = Stage::Spent.into(),
        "reset-locked" => world.state().flow.stage = Stage::Locked.into(),
        "reset-closed" => world.state().flow.stage = Stage::Closed.into(),
        "reset-too-many" => world.refuse("IssueCode", Code::FailedPrecondition, "OTP_TOO_MANY_CODES"),
        _ => {}
    }
    match name {
        "reset-wrong" => {
            browser
                .press("/password/forgot/code/verify", &[("code", "999999")])
                .await
        }
        "reset-too-many" => browser.press("/password/forgot/code/send", &[]).await,
        _ => browser.open("/password/forgot/code").await,
    };
}

async fn new_password(world: &World, browser: &mut Browser, name: &str) {
    browser.forget_and_prove().await;
    let reason = match name {
        "new-short" => Some("PASSWORD_TOO_SHORT"),
        "new-common" => Some("PASSWORD_COMMON"),
        "new-contextual" => Some("PASSWORD_CONTEXTUAL"),
        "new-unchanged" => Some("PASSWORD_UNCHANGED"),
        _ => None,
    };
    if let Some(reason) = reason {
        world.refuse("SetPassword", Code::InvalidArgument, reason);
    }
    let again = if name == "new-mismatch" {
        "other"
    } else {
        "canary-new"
    };
    if name != "new-password" {
        let typed = [("new_password", "canary-new"), ("new_password_again", again)];
        browser.press("/password/forgot/new", &typed).await;
    }
}

async fn email(world: &World, browser: &mut Browser, name: &str) {
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
    match name {
        "too-soon" | "too-many" => browser.press("/signin/email/send", &[]).await,
        "wrong-code" => browser.press("/signin/email/verify", &[("code", "999999")]).await,
        "old-code" => browser.press("/signin/email/verify", &[("code", OLD_CODE)]).await,
        "malformed" => browser.press("/signin/email/verify", &[("code", "12")]).await,
        "verified" => browser.press("/signin/email/verify", &[("code", CODE)]).await,
        "stale" => {
            let mark = browser.page.fields("/signin/cancel")["csrf"].clone();
            browser.press("/signin/email/continue", &[("csrf", &mark)]).await
        }
        "not-verified" => browser.press("/signin/email/continue", &[]).await,
        "cancelled" => browser.press("/signin/cancel", &[]).await,
        _ => browser.open("/signin/email").await,
    };
}
