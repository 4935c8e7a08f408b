//! The warning before a session ends. What script does with it: the end-to-end tests.

use http::{HeaderValue, StatusCode};
use sekisho_gateway::texts::JAPANESE;
use tonic::Code;

use sekisho_gallery::browser::{Browser, Page};
use sekisho_gallery::world::World;

const EXTEND: &str = "/session/extend";

async fn signed_in() -> (World, Browser) {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.sign_in_fully().await;
    (world, browser)
}

/// As a script presses the button.
async fn fetched(browser: &mut Browser) -> Page {
    let mut request = browser.filled(EXTEND, &[]);
    request
        .headers_mut()
        .insert("x-script", HeaderValue::from_static("1"));
    browser.ask(request).await.clone()
}

#[tokio::test]
async fn a_page_says_how_long_its_session_lives() {
    let (world, mut browser) = signed_in().await;
    for address in ["/top", "/signout"] {
        let page = browser.open(address).await;
        assert!(
            page.shows("data-idle=\"1800\" data-absolute=\"43200\""),
            "{address}"
        );
        assert!(page.shows(JAPANESE.idle_warning) && page.shows(JAPANESE.absolute_warning));
    }
    // While a version before this one answers, nobody is warned, and all else is as ever.
    world.state().is_timeless = true;
    let page = browser.open("/top").await;
    assert!(page.shows(JAPANESE.announcements) && !page.shows("data-idle"));
}

#[tokio::test]
async fn keeping_working_counts_as_activity() {
    let (world, mut browser) = signed_in().await;
    let before = world.count("Check");
    assert_eq!(browser.send(EXTEND, &[]).await.header("location"), "/top");
    assert_eq!(world.count("Check"), before + 1);
    browser.open("/top").await;
    assert_eq!(fetched(&mut browser).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.count("Check"), before + 3);
}

/// The page that the script then goes to says it, so the script must not use it up.
#[tokio::test]
async fn whoever_comes_too_late_is_told_once_where_they_end_up() {
    let (world, mut browser) = signed_in().await;
    let late = browser.clone();
    world.refuse("Check", Code::Unauthenticated, "SESSION_IDLE");
    assert_eq!(fetched(&mut browser).await.status, StatusCode::RESET_CONTENT);
    assert!(browser.open("/top").await.shows(JAPANESE.idle));
    let mut browser = late;
    assert!(browser.press(EXTEND, &[]).await.shows(JAPANESE.idle));
}

/// A window that was left open while somebody signed in anew in another one.
#[tokio::test]
async fn a_page_of_the_session_before_is_told_to_go_and_see() {
    let (_, mut browser) = signed_in().await;
    let old = browser.page.clone();
    browser.press("/signout", &[]).await;
    browser.sign_in_fully().await;
    browser.page = old;
    assert_eq!(fetched(&mut browser).await.status, StatusCode::RESET_CONTENT);
    browser.open("/top").await;
    assert_eq!(fetched(&mut browser).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn nobody_else_keeps_a_session_alive() {
    let (world, mut browser) = signed_in().await;
    let before = world.count("Check");
    let forged = browser.press(EXTEND, &[("csrf", "x")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(world.count("Check"), before);
    browser.open("/top").await;
    browser.cookies.remove("__Host-gtol_sid");
    // Another window has signed out.
    assert_eq!(
        fetched(&mut browser.clone()).await.status,
        StatusCode::RESET_CONTENT
    );
    assert_eq!(browser.press(EXTEND, &[]).await.status, StatusCode::FORBIDDEN);
}
