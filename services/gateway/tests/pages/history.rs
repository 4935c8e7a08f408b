//! サインイン履歴, and where whoever signs in again goes on.

use http::StatusCode;
use sekisho_gateway::texts::JAPANESE;
use tonic::Code;

use sekisho_gallery::browser::{Browser, Page, encode};
use sekisho_gallery::world::{CODE, World};

const HISTORY: &str = "/history";
const OTHERS: &str = "/history/others";

async fn signed_in() -> (World, Browser) {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.sign_in_fully().await;
    (world, browser)
}

/// Signs in again in the same browser.
async fn sign_in_again(browser: &mut Browser) -> &Page {
    browser.sign_in().await;
    browser.press("/signin/email/send", &[]).await;
    browser.press("/signin/email/verify", &[("code", CODE)]).await;
    browser.press("/signin/email/continue", &[]).await
}

#[tokio::test]
async fn an_owner_sees_what_happened_newest_first() {
    let (_, mut browser) = signed_in().await;
    assert!(
        browser
            .open("/top")
            .await
            .shows("<a href=\"/history\">サインイン履歴</a>")
    );
    let page = browser.open(HISTORY).await.clone();
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows("関所 花子") && page.shows("action=\"/signout\""));
    let told = &JAPANESE.happenings;
    let places: Vec<_> = [
        told.signed_in,
        told.code_mailed,
        told.password_wrong,
        told.signed_out,
    ]
    .map(|text| page.text.find(text).unwrap())
    .to_vec();
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.shows("<time datetime=\"2026-03-02T10:23:45+09:00\">2026年3月2日 10時23分</time>"));
    assert!(page.shows("入力されました。<span>（3回、最初は2026年3月2日 10時21分）</span>"));
    assert!(page.shows("（100回以上）"), "counted no further");
    assert_eq!(
        page.text.matches("<time").count(),
        7,
        "what nobody knows is not shown"
    );
    let menu = browser.open("/top").await.clone();
    let places = [JAPANESE.quick_access, "<a href=\"/history\">"].map(|text| menu.text.find(text).unwrap());
    assert!(places.is_sorted(), "screens 2.7: in the order of the keys");
}

#[tokio::test]
async fn an_owner_ends_all_other_sessions_and_is_told_once() {
    let (world, mut browser) = signed_in().await;
    assert!(browser.open(HISTORY).await.shows(JAPANESE.no_others));
    assert!(!browser.page.shows(OTHERS), "a button for nothing");
    world.state().others = 2;
    let page = browser.open(HISTORY).await;
    assert_eq!(page.text.matches("<li><span>").count(), 3);
    assert_eq!(page.text.matches(JAPANESE.this_device).count(), 1);
    let places =
        [JAPANESE.this_device, "9時23分から", "8時23分から"].map(|text| page.text.find(text).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    let late = browser.clone();
    let page = browser.press(OTHERS, &[]).await;
    assert!(page.shows(JAPANESE.others_ended));
    assert_eq!(world.state().others, 0);
    assert!(!browser.open(HISTORY).await.shows(JAPANESE.others_ended));
    let mut browser = late;
    assert!(browser.press(OTHERS, &[]).await.shows(JAPANESE.no_others));
}

#[tokio::test]
async fn nobody_else_ends_sessions() {
    let (world, mut browser) = signed_in().await;
    world.state().others = 1;
    browser.open(HISTORY).await;
    let forged = browser.send(OTHERS, &[("csrf", "x")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    browser.open(HISTORY).await;
    let mut stranger = browser.clone();
    stranger.cookies.remove("__Host-gtol_sid");
    assert_eq!(stranger.send(OTHERS, &[]).await.header("location"), "/signin");
    // A page of the session before.
    let old = browser.clone();
    browser.press("/signout", &[]).await;
    browser.sign_in_fully().await;
    browser.page = old.page;
    assert_eq!(browser.send(OTHERS, &[]).await.header("location"), HISTORY);
    assert_eq!(world.count("EndOthers"), 0);
}

#[tokio::test]
async fn without_the_log_there_is_no_history_and_the_session_lives() {
    let (world, mut browser) = signed_in().await;
    world.refuse("GetHistory", Code::Unavailable, "LOG_UNAVAILABLE");
    let page = browser.open(HISTORY).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.shows(JAPANESE.down_signed_in));
    assert!(browser.cookies.contains_key("__Host-gtol_sid"));
    assert_eq!(browser.open("/top").await.status, StatusCode::OK);
}

/// Screens 2.8.
#[tokio::test]
async fn whoever_signs_in_again_goes_on_where_they_were() {
    let (world, mut browser) = signed_in().await;
    browser.open(HISTORY).await;
    world.refuse("Check", Code::Unauthenticated, "SESSION_IDLE");
    assert!(browser.open(HISTORY).await.shows(JAPANESE.idle));
    world.allow("Check");
    assert_eq!(sign_in_again(&mut browser).await.address, HISTORY);
    // From the top page to the top page.
    browser.open("/top").await;
    world.refuse("Check", Code::Unauthenticated, "SESSION_IDLE");
    browser.open("/top").await;
    world.allow("Check");
    assert_eq!(sign_in_again(&mut browser).await.address, "/top");
    // Whoever signs out begins anew.
    browser.open(HISTORY).await;
    browser.press("/signout", &[]).await;
    assert_eq!(sign_in_again(&mut browser).await.address, "/top");
}

/// At a shared terminal: what somebody else was looking at concerns nobody.
#[tokio::test]
async fn whoever_else_signs_in_begins_at_the_top_page() {
    let (world, mut browser) = signed_in().await;
    browser.open(HISTORY).await;
    world.refuse("Check", Code::Unauthenticated, "SESSION_IDLE");
    browser.open(HISTORY).await;
    world.allow("Check");
    world.state().person = Some(("国立がん研究センター中央病院".into(), "関所 太郎".into()));
    assert_eq!(sign_in_again(&mut browser).await.address, "/top");
}

#[tokio::test]
async fn others_that_cannot_be_ended_are_told_of_and_stay() {
    let (world, mut browser) = signed_in().await;
    world.state().others = 1;
    browser.open(HISTORY).await;
    let before = browser.clone();
    world.refuse("EndOthers", Code::Unavailable, "LOG_UNAVAILABLE");
    let page = browser.press(OTHERS, &[]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.shows(JAPANESE.down_others) && page.shows("<a href=\"/history\">"));
    world.refuse("EndOthers", Code::Unauthenticated, "SESSION_REVOKED");
    let mut browser = before;
    let page = browser.press(OTHERS, &[]).await;
    assert!(page.address.starts_with("/signin") && page.shows(JAPANESE.ended_elsewhere));
    assert_eq!(world.state().others, 1);
}

#[tokio::test]
async fn while_too_many_histories_are_read_one_waits() {
    let (world, mut browser) = signed_in().await;
    world.refuse("GetHistory", Code::Unavailable, "SERVER_BUSY");
    let page = browser.open(HISTORY).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.shows(JAPANESE.busy_intro) && page.shows("<a href=\"/top\">"));
}

/// C-78: a hundred ways to ask for another place; none is listened to.
#[tokio::test]
async fn no_address_and_no_form_says_where_a_sign_in_leads() {
    let places = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/top@evil.example",
        "%2F%2Fevil.example",
        "/%09/evil.example",
    ];
    let names = [
        "next",
        "return",
        "returnTo",
        "redirect",
        "redirect_uri",
        "url",
        "continue",
        "dest",
        "to",
        "target",
    ];
    for name in names {
        let (_, mut browser) = signed_in().await;
        browser.press("/signout", &[]).await;
        for place in places {
            let question = format!("{name}={}", encode(place));
            for address in ["/", "/signin", "/signed-out", "/ncr/callback"] {
                let page = browser.look(&format!("{address}?{question}")).await;
                let location = page.header("location");
                assert!(is_ours(location), "{address}?{question}: {location}");
                assert!(!page.shows("evil.example"), "{address}?{question}");
            }
        }
        browser
            .open(&format!("/signin?{name}={}", encode(places[0])))
            .await;
        assert_eq!(sign_in_again(&mut browser).await.address, "/top");
    }
}

fn is_ours(location: &str) -> bool {
    let own = ["", "/top", "/signin", "/signin#error-summary"];
    own.contains(&location)
}
