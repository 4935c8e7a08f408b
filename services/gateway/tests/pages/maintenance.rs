//! メンテナンス中.

use std::time::Duration;

use http::{Method, StatusCode};
use sekisho_gateway::Gateway;
use sekisho_gateway::maintenance::Maintenance;
use sekisho_gateway::texts::JAPANESE;
use tonic::Code;

use sekisho_gallery::browser::{Browser, MAIN, STANDBY, alone, backends, gateway};
use sekisho_gallery::services;
use sekisho_gallery::world::World;

fn portal() -> (World, Gateway, Browser) {
    let world = World::new();
    let gateway = gateway(services::serve(&world));
    let browser = Browser::at(gateway.clone());
    (world, gateway, browser)
}

#[tokio::test]
async fn a_closed_host_says_where_the_portal_is_and_lets_nobody_further() {
    let (world, gateway, mut browser) = portal();
    browser.sign_in_fully().await;
    world.state().closed_hosts = vec![MAIN.to_owned()];
    gateway.maintenance.ask(&gateway.backends).await;
    let calls = world.state().calls.len();
    for address in ["/", "/signin", "/top", "/nowhere"] {
        let page = browser.open(address).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{address}");
        assert_eq!(page.header("retry-after"), "300");
        assert!(page.title().contains("メンテナンス中"));
        assert!(
            page.shows(JAPANESE.closed_intro) && page.shows(JAPANESE.standby_url),
            "{address}"
        );
        assert!(page.shows("<a href=\"/signout\">サインアウト</a>"), "{address}");
    }
    let request = browser.post("/signin", "user_id=1");
    assert_eq!(browser.ask(request).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.state().calls.len(), calls, "no service is asked");
    let request = browser.request(Method::GET, "/assets/icon.svg");
    let icon = browser
        .ask(request.body(axum::body::Body::empty()).unwrap())
        .await;
    assert_eq!(icon.status, StatusCode::OK);

    // The other host is as ever, and whoever was signed in still is.
    let mut other = Browser::at(gateway.clone());
    other.host = STANDBY;
    assert!(other.open("/signin").await.shows(JAPANESE.hospitals));
    world.state().closed_hosts.clear();
    gateway.maintenance.ask(&gateway.backends).await;
    assert!(browser.open("/top").await.shows(JAPANESE.announcements));
}

/// At a shared terminal the next person may come when it opens again.
#[tokio::test]
async fn whoever_is_signed_in_may_leave_a_closed_host() {
    let (world, gateway, mut browser) = portal();
    browser.sign_in_fully().await;
    world.state().closed_hosts = vec![MAIN.to_owned()];
    gateway.maintenance.ask(&gateway.backends).await;
    assert_eq!(
        browser.clone().send("/session/extend", &[]).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(browser.open("/help").await.status, StatusCode::OK);
    browser.open("/signout").await;
    let page = browser.press("/signout", &[]).await;
    assert!(page.shows(JAPANESE.signed_out_done), "{}", page.text);
    assert_eq!(world.count("End"), 1);
}

#[tokio::test]
async fn a_gateway_that_has_heard_nothing_yet_lets_nobody_in() {
    for (code, reason) in [
        (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
        (Code::Unimplemented, ""),
    ] {
        let world = World::new();
        let gateway = Gateway {
            maintenance: Maintenance::default(),
            ..gateway(services::serve(&world))
        };
        let mut browser = Browser::at(gateway.clone());
        world.refuse("GetMaintenance", Code::Unavailable, "");
        gateway.maintenance.ask(&gateway.backends).await;
        assert!(browser.open("/signin").await.shows(JAPANESE.closed_intro));
        // In a roll-out: a version that knows nothing of it refuses whoever asks.
        world.refuse("GetMaintenance", code, reason);
        gateway.maintenance.ask(&gateway.backends).await;
        assert!(browser.open("/signin").await.shows(JAPANESE.hospitals), "{code}");
    }
}

/// In a roll-out both versions answer in turn.
#[tokio::test]
async fn a_version_that_closes_nothing_opens_nothing() {
    let (world, gateway, mut browser) = portal();
    world.state().closed_hosts = vec![MAIN.to_owned()];
    gateway.maintenance.ask(&gateway.backends).await;
    for (code, reason) in [
        (Code::PermissionDenied, "CALLER_NOT_ALLOWED"),
        (Code::Unimplemented, ""),
    ] {
        world.refuse("GetMaintenance", code, reason);
        gateway.maintenance.ask(&gateway.backends).await;
        assert!(browser.open("/signin").await.shows(JAPANESE.closed_intro));
    }
}

/// Design, "When a part is down"; for a moment anything may be away.
#[tokio::test]
async fn with_every_service_away_for_ten_seconds_the_portal_says_so() {
    let gateway = alone();
    let mut browser = Browser::at(gateway.clone());
    let ask = async || gateway.maintenance.ask(&gateway.backends).await;
    ask().await;
    assert_eq!(browser.open("/signin").await.status, StatusCode::OK);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    ask().await;
    let page = browser.open("/signin").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.title().contains("メンテナンス中") && page.shows(JAPANESE.standby_url));
    // Whoever answers at all is there.
    let world = World::new();
    world.refuse("GetMaintenance", Code::Unavailable, "SESSION_UNCONFIRMED");
    let there = backends(services::serve(&world));
    gateway.maintenance.ask(&there).await;
    assert_eq!(browser.open("/signin").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_second_host_sends_nobody_to_itself() {
    let (world, gateway, mut browser) = portal();
    world.state().closed_hosts = vec![STANDBY.to_owned()];
    gateway.maintenance.ask(&gateway.backends).await;
    browser.host = STANDBY;
    let page = browser.open("/signin").await;
    assert!(
        page.shows(JAPANESE.closed_here) && !page.shows(JAPANESE.standby_url),
        "{}",
        page.text
    );
    // Nor while nobody has said that it is closed.
    let mut browser = Browser::at(Gateway {
        maintenance: Maintenance::default(),
        ..alone()
    });
    browser.host = STANDBY;
    let page = browser.open("/signin").await;
    assert!(
        page.shows(JAPANESE.closed_here) && !page.shows(JAPANESE.standby_url),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn nobody_is_sent_to_a_second_host_that_is_closed_too() {
    let (world, gateway, mut browser) = portal();
    world.state().closed_hosts = [MAIN, STANDBY].map(str::to_owned).to_vec();
    gateway.maintenance.ask(&gateway.backends).await;
    let page = browser.open("/signin").await;
    assert!(page.shows(JAPANESE.closed_here) && !page.shows(JAPANESE.standby_url));
}

/// The page needs no service: that they are away is when it is needed.
#[tokio::test]
async fn what_was_said_last_counts_while_nobody_can_be_asked() {
    let (world, gateway, mut browser) = portal();
    world.state().closed_hosts = vec![MAIN.to_owned()];
    gateway.maintenance.ask(&gateway.backends).await;
    world.refuse("GetMaintenance", Code::Unavailable, "");
    gateway.maintenance.ask(&gateway.backends).await;
    assert!(browser.open("/signin").await.shows(JAPANESE.closed_intro));
}
