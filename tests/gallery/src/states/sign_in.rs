//! `/signin`.

use sekisho_gateway::Gateway;
use sekisho_gateway::notes::Disclosure;
use sekisho_proto::credentials::v1::verify_password_response::Reason;
use tonic::Code;

use crate::browser::{Browser, STANDBY, gateway};
use crate::services;
use crate::world::World;

pub const STATES: &[&str] = &[
    "signin",
    "standby",
    "unknown",
    "wrong",
    "generic",
    "empty",
    "locked",
    "disabled",
    "no-email",
    "stale-form",
    "cancelled",
    "flow-over",
    "idle",
    "revoked",
];

pub async fn show(world: &World, browser: &mut Browser, name: &str) {
    world.state().rejected = match name {
        "unknown" => Some(Reason::UnknownAccount),
        "wrong" | "generic" => Some(Reason::WrongPassword),
        "locked" => Some(Reason::Locked),
        "disabled" => Some(Reason::Disabled),
        "no-email" => Some(Reason::NoEmail),
        _ => None,
    };
    match name {
        "signin" => browser.open("/").await,
        "standby" => {
            browser.host = STANDBY;
            browser.open("/signin").await
        }
        "generic" => {
            let generic = Gateway {
                disclosure: Disclosure::Generic,
                ..gateway(services::serve(world))
            };
            browser.router = Browser::at(generic).router;
            browser.sign_in().await
        }
        "empty" => {
            browser.open("/signin").await;
            let typed = [("user_id", ""), ("password", "")];
            browser.press("/signin", &typed).await
        }
        "stale-form" => {
            browser.open("/signin").await;
            let foreign = browser.page.fields("/ncr/start")["csrf"].clone();
            let typed = [("user_id", "04500001"), ("password", "1"), ("csrf", &foreign)];
            browser.press("/signin", &typed).await
        }
        "cancelled" => {
            browser.sign_in().await;
            browser.press("/signin/cancel", &[]).await
        }
        "flow-over" => {
            browser.sign_in().await;
            world.refuse("GetFlow", Code::FailedPrecondition, "EVIDENCE_OLD");
            browser.open("/signin/email").await
        }
        "idle" => over(world, browser, "SESSION_IDLE").await,
        "revoked" => over(world, browser, "SESSION_REVOKED").await,
        _ => browser.sign_in().await,
    };
}

async fn over<'a>(world: &World, browser: &'a mut Browser, reason: &'static str) -> &'a crate::browser::Page {
    browser.sign_in_fully().await;
    world.refuse("Check", Code::Unauthenticated, reason);
    browser.open("/top").await
}
