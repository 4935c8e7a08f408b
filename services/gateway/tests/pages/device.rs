//! The cookie by which an account knows a browser again.

use http::header;
use sekisho_proto::credentials::v1::verify_password_response::Reason;

use sekisho_gallery::browser::Browser;
use sekisho_gallery::world::World;

const DEVICE: &str = "__Host-gtol_dev";

#[tokio::test]
async fn a_browser_is_marked_for_half_a_year_by_a_right_password_only() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    world.state().rejected = Some(Reason::WrongPassword);
    browser.sign_in().await;
    assert!(!browser.cookies.contains_key(DEVICE));

    world.state().rejected = None;
    browser.open("/signin").await;
    let right = browser.filled("/signin", &[("user_id", "04500001"), ("password", "pass")]);
    let answer = browser.ask(right).await;
    let cookies = answer.headers.get_all(header::SET_COOKIE);
    let mut cookies = cookies.iter().map(|cookie| cookie.to_str().unwrap());
    let cookie = cookies.find(|cookie| cookie.starts_with(DEVICE)).unwrap();
    assert!(
        cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=15552000"),
        "{cookie}"
    );
}

#[tokio::test]
async fn credentials_is_told_the_same_device_each_time_also_after_a_sign_out() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.sign_in_fully().await;
    browser.press("/signout", &[]).await;
    browser.sign_in().await;
    let devices = world.state().devices.clone();
    assert_eq!(devices.len(), 2);
    assert_eq!(devices[0], devices[1]);
    assert_eq!(devices[0].len(), 32);
    assert_eq!(world.state().devices_are_new, [true, false]);

    let mut other = Browser::new(&world);
    other.sign_in().await;
    assert_ne!(world.state().devices[2], devices[0]);
}

#[tokio::test]
async fn a_forged_device_cookie_is_none() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.sign_in_fully().await;
    let session = browser.cookies["__Host-gtol_sid"].clone();
    let mut other = Browser::new(&world);
    for planted in ["x", session.as_str()] {
        other.cookies.insert(DEVICE.into(), planted.into());
        other.sign_in().await;
        let devices = world.state().devices.clone();
        assert_ne!(devices.last(), devices.first(), "{planted}");
        assert_eq!(devices.last().unwrap().len(), 32);
    }
}
