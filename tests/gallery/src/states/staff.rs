//! Sign-ins with an NCR account.

use sekisho_proto::credentials::v1::finish_federated_sign_in_response::Reason;

use crate::browser::Browser;
use crate::world::World;

pub const STATES: &[&str] = &[
    "to-ncr",
    "ncr-cancelled",
    "ncr-over",
    "ncr-retry",
    "ncr-failed",
    "ncr-unreachable",
    "ncr-no-account",
    "ncr-disabled",
    "ncr-factor-missing",
    "ncr-top",
    "ncr-sign-out",
    "ncr-signed-out",
];

pub async fn show(world: &World, browser: &mut Browser, name: &str) {
    if name == "to-ncr" {
        browser.open("/signin").await;
        browser.press("/ncr/start", &[]).await;
        return;
    }
    world.state().unvouched = match name {
        "ncr-cancelled" => Some(Reason::Cancelled),
        "ncr-over" => Some(Reason::Binding),
        "ncr-retry" => Some(Reason::Retry),
        "ncr-failed" => Some(Reason::Token),
        "ncr-unreachable" => Some(Reason::ProviderUnreachable),
        "ncr-no-account" => Some(Reason::NoAccount),
        "ncr-disabled" => Some(Reason::Disabled),
        "ncr-factor-missing" => Some(Reason::FactorMissing),
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
