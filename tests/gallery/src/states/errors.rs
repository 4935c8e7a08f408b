//! サインインできない場合, and what is refused.

use axum::body::Body;
use http::{Method, header};
use tonic::Code;

use crate::browser::{Browser, MAIN, STANDBY, alone, gateway};
use crate::services;
use crate::world::{CODE, World};

pub const STATES: &[&str] = &[
    "help",
    "not-found",
    "unreadable",
    "forged",
    "cookies",
    "method",
    "too-large",
    "media-type",
    "wrong-host",
    "throttled",
    "busy",
    "maintenance",
    "standby-maintenance",
    "down",
    "down-email",
    "down-code",
    "down-reset",
    "down-reset-code",
    "down-signed-in",
    "down-sign-out",
    "down-others",
];

/// A sign-in as somebody types it.
const TYPED: [(&str, &str); 2] = [("user_id", "1"), ("password", "1")];

pub async fn show(world: &World, browser: &mut Browser, name: &str) {
    match name {
        "help" => drop(browser.open("/help").await.clone()),
        "maintenance" | "standby-maintenance" => closed(world, browser, name).await,
        "down-signed-in" | "down-sign-out" | "down-others" => signed_in(world, browser, name).await,
        "down-code" => {
            browser.sign_in().await;
            browser.press("/signin/email/send", &[]).await;
            world.refuse("VerifyCode", Code::Unavailable, "");
            browser.press("/signin/email/verify", &[("code", CODE)]).await;
        }
        "down-email" => {
            browser.sign_in().await;
            world.refuse("GetFlow", Code::Unavailable, "");
            browser.open("/signin/email").await;
        }
        "down-reset-code" => {
            browser.forget().await;
            world.refuse("VerifyCode", Code::Unavailable, "");
            browser
                .press("/password/forgot/code/verify", &[("code", CODE)])
                .await;
        }
        "down-reset" => {
            world.refuse("RequestPasswordReset", Code::Unavailable, "");
            browser.forget().await;
        }
        "not-found" => drop(browser.open("/nowhere").await.clone()),
        "wrong-host" => {
            browser.host = "portal.example.com";
            browser.open("/signin").await;
        }
        _ => form(world, browser, name).await,
    }
}

async fn closed(world: &World, browser: &mut Browser, name: &str) {
    browser.host = if name == "maintenance" { MAIN } else { STANDBY };
    let gateway = gateway(services::serve(world));
    world.state().closed_hosts = vec![browser.host.to_owned()];
    gateway.maintenance.ask(&gateway.backends).await;
    browser.router = Browser::at(gateway).router;
    browser.open("/signin").await;
}

async fn signed_in(world: &World, browser: &mut Browser, name: &str) {
    browser.sign_in_fully().await;
    world.state().others = 1;
    browser.open("/history").await;
    let (method, form) = match name {
        "down-sign-out" => ("End", "/signout"),
        "down-others" => ("EndOthers", "/history/others"),
        _ => ("Check", ""),
    };
    world.refuse(method, Code::Unavailable, "");
    match form {
        "" => browser.open("/top").await,
        form => browser.press(form, &[]).await,
    };
}

/// A form of `/signin` that is refused.
async fn form(world: &World, browser: &mut Browser, name: &str) {
    browser.open("/signin").await;
    match name {
        "throttled" => world.refuse("VerifyPassword", Code::ResourceExhausted, "CLIENT_THROTTLED"),
        "busy" => world.refuse("VerifyPassword", Code::ResourceExhausted, "CREDENTIALS_BUSY"),
        "cookies" => browser.cookies.clear(),
        "down" => browser.router = Browser::at(alone()).router,
        _ => {}
    }
    let request = match name {
        "method" => browser
            .request(Method::PUT, "/signin")
            .body(Body::empty())
            .unwrap(),
        "unreadable" => browser.post("/signin", "user_id=%ff"),
        "too-large" => browser.post("/signin", "a".repeat(20_000)),
        "media-type" => {
            let mut request = browser.post("/signin", "{}");
            let json = "application/json".parse().unwrap();
            request.headers_mut().insert(header::CONTENT_TYPE, json);
            request
        }
        "forged" => browser.filled("/signin", &[TYPED.as_slice(), &[("csrf", "x")]].concat()),
        _ => browser.filled("/signin", &TYPED),
    };
    browser.follow(request).await;
}
