//! 続行, the top page and サインアウト.

use http::StatusCode;
use sekisho_gateway::Gateway;
use sekisho_gateway::board::{Board, CurrentBoard};
use sekisho_gateway::texts::JAPANESE;
use sekisho_proto::otp::v1::flow_view::Stage;
use tonic::Code;

use sekisho_gallery::browser::{Browser, Page, STANDBY, gateway};
use sekisho_gallery::corpus::CORPUS;
use sekisho_gallery::services::{self, POSITION};
use sekisho_gallery::world::{CODE, World};

const CONTINUE: &str = "/signin/email/continue";

async fn verified() -> (World, Browser) {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.sign_in().await;
    browser.press("/signin/email/send", &[]).await;
    browser.press("/signin/email/verify", &[("code", CODE)]).await;
    (world, browser)
}

async fn signed_in() -> (World, Browser) {
    let (world, mut browser) = verified().await;
    browser.press(CONTINUE, &[]).await;
    (world, browser)
}

#[tokio::test]
async fn continuing_opens_the_top_page_with_facility_and_name() {
    let (world, browser) = signed_in().await;
    let page = &browser.page;
    assert_eq!((page.status, page.address.as_str()), (StatusCode::OK, "/top"));
    assert!(page.shows("<h1>がん登録オンラインシステム (GTOL)</h1>"));
    assert!(page.shows("国立がん研究センター中央病院") && page.shows("関所 花子"));
    assert!(page.shows("前回のサインイン：2026年3月2日 10時23分"));
    assert!(page.shows(JAPANESE.no_announcements) && page.shows(JAPANESE.no_quick_access));
    let state = world.state();
    let described = state
        .calls
        .iter()
        .rfind(|(name, _)| *name == "DescribeFlow")
        .unwrap();
    assert_eq!(described.1, POSITION.to_be_bytes());
}

#[tokio::test]
async fn the_flow_ends_with_the_session_and_names_are_asked_for_once() {
    let (world, mut browser) = signed_in().await;
    assert!(!browser.cookies.contains_key("__Host-gtol_tx"));
    let asked = world.count("DescribeFlow");
    browser.open("/top").await;
    assert_eq!(world.count("DescribeFlow"), asked);
    assert_eq!(browser.open("/signin/email").await.address, "/top");
    assert!(!browser.cookies.contains_key("__Host-gtol_note"));
}

#[tokio::test]
async fn a_double_click_on_continue_ends_at_the_top_page() {
    let (_, mut browser) = verified().await;
    let again = browser.filled(CONTINUE, &[]);
    browser.send(CONTINUE, &[]).await;
    assert_eq!(browser.follow(again).await.address, "/top");
    assert!(browser.page.shows("関所 花子"));
    let note = browser.cookies.get("__Host-gtol_note");
    assert_eq!(note, None, "kept for a page that does not show it");
}

#[tokio::test]
async fn continuing_works_again_after_the_names_could_not_be_had() {
    let (world, mut browser) = verified().await;
    world.refuse("DescribeFlow", Code::Unavailable, "");
    let page = browser.press(CONTINUE, &[]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!browser.cookies.contains_key("__Host-gtol_sid"));
    world.allow("DescribeFlow");
    browser.open("/signin/email").await;
    assert_eq!(browser.press(CONTINUE, &[]).await.address, "/top");
}

#[tokio::test]
async fn long_names_with_rare_characters_fit_into_a_cookie_and_onto_the_page() {
    let (world, mut browser) = verified().await;
    let facility = "\u{8fbb}\u{e0100}".repeat(100) + &"\u{20bb7}".repeat(100);
    let name = "斉\u{e0101}".repeat(50);
    world.state().person = Some((facility.clone(), name.clone()));
    let page = browser.press(CONTINUE, &[]).await;
    assert!(page.shows(&facility) && page.shows(&name));
    assert!(browser.cookies.values().all(|value| value.len() < 4000));
}

#[tokio::test]
async fn names_are_escaped() {
    let (world, mut browser) = verified().await;
    world.state().person = Some(("<b>&".into(), "<i>'\"".into()));
    world.state().last = None;
    let page = browser.press(CONTINUE, &[]).await;
    assert!(page.shows("&#60;b&#62;&#38;") && page.shows("&#60;i&#62;&#39;&#34;"));
    assert!(page.shows(JAPANESE.no_last_sign_in));
}

/// C-79: what administrators and operators have stored, too.
#[tokio::test]
async fn whatever_is_stored_is_shown_as_text() {
    for typed in CORPUS {
        let world = World::new();
        let quoted = toml::Value::from(typed);
        let board = format!(
            "[[announcements]]\ndate = \"2026-03-02\"\ntext = {quoted}\n[[quick_access]]\ntext = {quoted}\nurl = \"/\"\n"
        );
        let gateway = Gateway {
            board: CurrentBoard::of(Board::parse(&board).unwrap()),
            ..gateway(services::serve(&world))
        };
        world.state().person = Some((typed.into(), typed.into()));
        let mut browser = Browser::at(gateway);
        let page = browser.sign_in_fully().await;
        let shown = typed
            .replace('&', "&#38;")
            .replace('<', "&#60;")
            .replace('>', "&#62;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        assert!(page.text.matches(&shown).count() >= 4, "{typed}: {}", page.text);
    }
}

#[tokio::test]
async fn the_names_of_another_session_are_not_shown() {
    let (_, old) = signed_in().await;
    let (_, mut browser) = signed_in().await;
    let theirs = old.cookies["__Host-gtol_who"].clone();
    browser.cookies.insert("__Host-gtol_who".into(), theirs);
    assert!(!browser.open("/top").await.shows("関所 花子"));
}

#[tokio::test]
async fn every_signed_in_page_asks_whether_the_session_is_alive() {
    let (world, mut browser) = signed_in().await;
    for path in ["/top", "/signout", "/", "/signin"] {
        let asked = world.count("Check");
        browser.look(path).await;
        assert_eq!(world.count("Check"), asked + 1, "{path}");
    }
}

/// C-59: what somebody may have planted before is of no use after.
#[tokio::test]
async fn of_two_sign_ins_each_has_an_id_of_its_own() {
    let (world, mut browser) = signed_in().await;
    let (first, first_token) = (
        browser.cookies["__Host-gtol_sid"].clone(),
        world.state().token.clone(),
    );
    world.refuse("Check", Code::Unauthenticated, "SESSION_IDLE");
    browser.open("/top").await;
    world.allow("Check");
    browser.sign_in_fully().await;
    assert_ne!(browser.cookies["__Host-gtol_sid"], first);
    assert_ne!(world.state().token, first_token);
}

/// C-66.
#[tokio::test]
async fn every_page_of_a_session_offers_to_sign_out() {
    let (_, mut browser) = signed_in().await;
    for address in ["/top", "/history", "/signout"] {
        let page = browser.open(address).await.clone();
        // The warning, which has the same button, is not in sight.
        let (before, warning) = page.text.split_once("<dialog").unwrap();
        let (_, after) = warning.split_once("</dialog>").unwrap();
        let in_sight = Page {
            text: format!("{before}{after}"),
            ..page
        };
        assert!(
            in_sight.form("/signout").contains("サインアウト</button>"),
            "{address}"
        );
    }
}

#[tokio::test]
async fn without_a_session_cookie_signed_in_pages_lead_to_the_sign_in() {
    let mut browser = Browser::new(&World::new());
    for path in ["/top", "/signout"] {
        assert_eq!(browser.open(path).await.address, "/signin");
    }
}

#[tokio::test]
async fn a_session_that_is_over_leads_to_the_sign_in_with_the_text_that_fits() {
    for (reason, text) in [
        ("SESSION_IDLE", JAPANESE.idle),
        ("SESSION_ABSOLUTE", JAPANESE.absolute),
        ("SESSION_CUT", JAPANESE.ended_elsewhere),
        ("SESSION_REVOKED", JAPANESE.ended_elsewhere),
        ("SESSION_SIGNED_OUT", ""),
        ("SESSION_UNKNOWN", ""),
    ] {
        for path in ["/top", "/", "/signin", "/signout"] {
            let (world, mut browser) = signed_in().await;
            world.refuse("Check", Code::Unauthenticated, reason);
            let page = browser.open(path).await;
            assert!(page.address.starts_with("/signin"), "{reason} {path}");
            assert_eq!(page.shows("role=\"alert\""), !text.is_empty(), "{reason} {path}");
            assert!(page.shows(text), "{reason} {path}");
            for gone in ["__Host-gtol_sid", "__Host-gtol_who"] {
                assert!(!browser.cookies.contains_key(gone), "{reason} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_session_that_nobody_can_ask_for_is_never_shown_as_over() {
    for path in ["/top", "/", "/signin", "/signout"] {
        let (world, mut browser) = signed_in().await;
        world.refuse("Check", Code::Unavailable, "SESSION_UNCONFIRMED");
        let page = browser.open(path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(page.shows(JAPANESE.down_signed_in) && page.shows("<a href=\"/top\">"));
        world.allow("Check");
        assert_eq!(browser.open(path).await.status, StatusCode::OK);
        assert!(browser.cookies.contains_key("__Host-gtol_sid"), "{path}");
    }
}

#[tokio::test]
async fn a_planted_session_cookie_is_no_session() {
    let (world, browser) = signed_in().await;
    let token = world.state().token.clone().unwrap();
    let plain = serde_json::to_string(&token).unwrap();
    let mut thief = Browser::new(&world);
    for planted in [plain, "x".into(), browser.cookies["__Host-gtol_who"].clone()] {
        thief.cookies.insert("__Host-gtol_sid".into(), planted);
        assert_eq!(thief.open("/top").await.address, "/signin");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_shows_how_to_end_the_vpn() {
    let (world, mut browser) = signed_in().await;
    let old = browser.clone();
    let answer = browser.send("/signout", &[]).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/signed-out")
    );
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
    assert_eq!(world.count("End"), 1);
    only_the_device_is_known(&browser);
    let page = browser.open("/signed-out").await;
    assert!(page.shows("<h2 tabindex=\"-1\" autofocus>サインアウト完了</h2>"));
    for step in JAPANESE.vpn_steps {
        assert!(page.shows(&format!("<li>{step}</li>")), "{step}");
    }
    let mut replayed = old;
    assert_eq!(replayed.open("/top").await.address, "/signin");
}

#[tokio::test]
async fn a_sign_out_that_is_not_recorded_yet_says_so_once() {
    let (world, mut browser) = signed_in().await;
    world.state().unrecorded = true;
    let page = browser.press("/signout", &[]).await;
    assert!(page.shows(JAPANESE.signed_out_done));
    assert!(page.shows(JAPANESE.not_recorded_yet));
    assert!(!browser.open("/signed-out").await.shows(JAPANESE.not_recorded_yet));
    only_the_device_is_known(&browser);
}

#[tokio::test]
async fn the_picture_of_the_last_page_clears_the_pages_before_from_the_browser() {
    let (_, mut browser) = signed_in().await;
    let page = browser.press("/signout", &[]).await;
    assert!(page.shows("<img src=\"/assets/goodbye.svg\" alt=\"\""));
    let picture = browser.open("/assets/goodbye.svg").await;
    assert_eq!(
        (picture.status, picture.header("clear-site-data")),
        (StatusCode::OK, "\"cache\"")
    );
    assert_eq!(picture.header("cache-control"), "no-store");
}

#[tokio::test]
async fn signing_out_works_in_a_second_tab_too() {
    let (_, mut browser) = signed_in().await;
    let second_tab = browser.page.clone();
    browser.press("/signout", &[]).await;
    browser.page = second_tab;
    assert!(
        browser
            .press("/signout", &[])
            .await
            .shows(JAPANESE.signed_out_done)
    );
}

#[tokio::test]
async fn an_address_alone_signs_nobody_out() {
    let (world, mut browser) = signed_in().await;
    let page = browser.open("/signout").await;
    assert!(page.shows(JAPANESE.sign_out_intro));
    assert_eq!(world.count("End"), 0);
    assert_eq!(browser.press("/signout", &[]).await.address, "/signed-out");
}

/// Two people one after the other at one terminal, the first without サインアウト.
#[tokio::test]
async fn a_new_sign_in_ends_the_session_that_the_browser_still_holds() {
    let (world, mut browser) = signed_in().await;
    let first = browser.cookies["__Host-gtol_sid"].clone();
    let mut other_tab = browser.clone();
    other_tab.cookies.remove("__Host-gtol_sid");
    other_tab.sign_in().await;
    world.state().flow.set_stage(Stage::Verified);
    other_tab.open("/signin/email").await;
    other_tab.cookies.insert("__Host-gtol_sid".into(), first);
    world.refuse("End", Code::Unavailable, "");
    let page = other_tab
        .clone()
        .press("/signin/email/continue", &[])
        .await
        .clone();
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    world.allow("End");
    assert_eq!(world.count("End"), 1);
    assert_eq!(
        other_tab.press("/signin/email/continue", &[]).await.address,
        "/top"
    );
    assert_eq!(world.count("End"), 2);
    // 続行 pressed twice is one sign-in and ends nothing.
    browser.open("/top").await;
    assert_eq!(world.count("End"), 2);
}

#[tokio::test]
async fn a_button_of_the_session_before_shows_the_button_of_this_one() {
    let (_, before) = signed_in().await;
    let (world, mut browser) = signed_in().await;
    browser.page = before.page.clone();
    let page = browser.press("/signout", &[]).await;
    assert_eq!(page.address, "/signout");
    assert!(page.shows(JAPANESE.sign_out_intro));
    assert_eq!(world.count("End"), 0);
}

#[tokio::test]
async fn nobody_who_is_signed_in_is_told_to_be_signed_out() {
    let (world, mut browser) = signed_in().await;
    assert_eq!(browser.open("/signed-out").await.address, "/top");
    world.refuse("Check", Code::Unavailable, "");
    let page = browser.open("/signed-out").await;
    assert!(page.shows(JAPANESE.down_signed_in) && !page.shows(JAPANESE.signed_out_done));
}

#[tokio::test]
async fn a_sign_out_that_cannot_be_recorded_is_not_claimed() {
    let (world, mut browser) = signed_in().await;
    world.refuse("End", Code::Unavailable, "");
    let page = browser.press("/signout", &[]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.shows(JAPANESE.down_sign_out));
    assert!(browser.cookies.contains_key("__Host-gtol_sid"));
}

#[tokio::test]
async fn on_the_second_host_the_steps_name_its_vpn() {
    let mut browser = Browser::new(&World::new());
    browser.host = STANDBY;
    let page = browser.open("/signed-out").await;
    assert!(page.shows("<li>[sub-gtol-vpn]をクリックします。</li>") && !page.shows("main-gtol-vpn"));
}

/// Nothing of the person is left; what tells the browser from a stranger's, and that somebody was there, opens nothing.
fn only_the_device_is_known(browser: &Browser) {
    let left: Vec<&str> = browser.cookies.keys().map(String::as_str).collect();
    assert_eq!(left, ["__Host-gtol_dev", "__Host-gtol_ncr"]);
}
