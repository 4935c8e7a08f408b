//! `/signin`.

use http::StatusCode;
use sekisho_gateway::Gateway;
use sekisho_gateway::notes::Disclosure;
use sekisho_gateway::texts::JAPANESE;
use sekisho_proto::credentials::v1::verify_password_response::Reason;
use tonic::Code;

use sekisho_gallery::browser::{Browser, STANDBY, alone, gateway};
use sekisho_gallery::services;
use sekisho_gallery::world::World;

async fn rejected(reason: Reason) -> Browser {
    let world = World::new();
    world.state().rejected = Some(reason);
    let mut browser = Browser::new(&world);
    browser.sign_in().await;
    browser
}

#[tokio::test]
async fn the_root_leads_to_the_sign_in_with_the_focus_on_the_id() {
    let mut browser = Browser::new(&World::new());
    let page = browser.open("/").await;
    assert_eq!((page.status, page.address.as_str()), (StatusCode::OK, "/signin"));
    assert!(
        page.form("/signin")
            .contains("spellcheck=\"false\" aria-describedby=\"user_id-hint\" autofocus>")
    );
    assert!(page.shows(JAPANESE.maintenance));
}

#[tokio::test]
async fn a_right_password_leads_to_the_email_page() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    assert_eq!(browser.sign_in().await.address, "/signin/email");
    assert!(browser.cookies.contains_key("__Host-gtol_tx"));
    let client = world.state().client.clone();
    assert_eq!(client, Some(("192.0.2.7".into(), "Test/1".into())));
}

#[tokio::test]
async fn an_unknown_id_gets_case_1_of_the_manual() {
    let browser = rejected(Reason::UnknownAccount).await;
    let page = &browser.page;
    assert_eq!(page.address, "/signin#error-summary");
    assert!(page.title().starts_with("エラー："));
    assert!(page.shows(
        "<p class=\"note-text\"><a href=\"#user_id\">ご利用のアカウントが見つからないようです。</a></p>"
    ));
    assert!(page.shows(JAPANESE.unknown_account_hint));
    assert!(page.shows("aria-describedby=\"user_id-hint user_id-error\" aria-invalid=\"true\""));
    assert_eq!(page.fields("/signin")["user_id"], "04500001");
    assert_eq!(page.fields("/signin")["password"], "");
}

#[tokio::test]
async fn a_wrong_password_gets_case_2_of_the_manual_and_the_focus() {
    let browser = rejected(Reason::WrongPassword).await;
    let page = &browser.page;
    assert_eq!(page.address, "/signin#password");
    assert!(page.shows("<p class=\"field-error\" id=\"password-error\">パスワードが正しくありません。</p>"));
    assert!(page.shows(JAPANESE.wrong_password_hint));
    assert!(!page.shows(" autofocus"));
    assert_eq!(page.fields("/signin")["user_id"], "04500001");
}

#[tokio::test]
async fn every_other_rejection_has_its_text() {
    for (reason, text) in [
        (Reason::Locked, JAPANESE.locked),
        (Reason::Disabled, JAPANESE.disabled),
        (Reason::NoEmail, JAPANESE.no_email),
    ] {
        let browser = rejected(reason).await;
        assert!(browser.page.shows(text), "{reason:?}");
        assert!(!browser.cookies.contains_key("__Host-gtol_tx"));
    }
}

#[tokio::test]
async fn an_empty_field_is_asked_for_and_counts_as_no_attempt() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    let page = browser
        .press("/signin", &[("user_id", "\u{3000}\u{200B}"), ("password", "")])
        .await;
    assert!(page.shows(JAPANESE.user_id_missing) && page.shows(JAPANESE.password_missing));
    let page = browser
        .press("/signin", &[("user_id", "04500001"), ("password", "")])
        .await;
    assert!(!page.shows(JAPANESE.user_id_missing) && page.shows(JAPANESE.password_missing));
    assert_eq!(world.count("VerifyPassword"), 0);
}

#[tokio::test]
async fn id_and_password_reach_credentials_as_typed() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    browser
        .press(
            "/signin",
            &[("user_id", " ０４５００００１"), ("password", " パス+&= ")],
        )
        .await;
    let (_, asked) = world.state().calls[0].clone();
    assert_eq!(String::from_utf8(asked).unwrap(), " ０４５００００１| パス+&= ");
}

#[tokio::test]
async fn what_somebody_typed_is_escaped() {
    let world = World::new();
    world.state().rejected = Some(Reason::UnknownAccount);
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    let page = browser
        .press("/signin", &[("user_id", "\"><script>'&"), ("password", "x")])
        .await;
    assert!(page.shows("value=\"&#34;&#62;&#60;script&#62;&#39;&#38;\""));
}

#[tokio::test]
async fn a_message_is_said_once() {
    let mut browser = rejected(Reason::WrongPassword).await;
    assert!(!browser.open("/signin").await.shows(JAPANESE.wrong_password));
    assert!(!browser.cookies.contains_key("__Host-gtol_note"));
}

#[tokio::test]
async fn a_full_hashing_pool_is_told_as_such() {
    let world = World::new();
    world.refuse("VerifyPassword", Code::ResourceExhausted, "CREDENTIALS_BUSY");
    let mut browser = Browser::new(&world);
    let page = browser.sign_in().await;
    assert_eq!(
        (page.status, page.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "5")
    );
    assert!(page.shows(JAPANESE.busy_intro));
}

#[tokio::test]
async fn a_service_that_is_down_is_never_a_wrong_password() {
    let world = World::new();
    for reason in ["", "SOMETHING_NEW"] {
        world.refuse("VerifyPassword", Code::Unavailable, reason);
        let mut browser = Browser::new(&world);
        let page = browser.sign_in().await;
        assert_eq!(
            (page.status, page.header("retry-after")),
            (StatusCode::SERVICE_UNAVAILABLE, "10")
        );
        assert!(
            page.shows(JAPANESE.down_sign_in)
                && page.shows(JAPANESE.enquiry)
                && page.shows(JAPANESE.standby_url)
        );
        assert!(!page.shows(JAPANESE.wrong_password));
    }
}

#[tokio::test]
async fn with_every_service_away_the_pages_still_come() {
    let mut browser = Browser::at(alone());
    assert_eq!(browser.open("/signin").await.status, StatusCode::OK);
    let page = browser
        .press("/signin", &[("user_id", "04500001"), ("password", "pass")])
        .await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.shows(JAPANESE.down_sign_in));
}

#[tokio::test]
async fn a_double_click_signs_in_all_the_same() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    let typed = [("user_id", "04500001"), ("password", "pass")];
    let (first, second) = (
        browser.filled("/signin", &typed),
        browser.filled("/signin", &typed),
    );
    browser.ask(first).await;
    assert_eq!(browser.follow(second).await.address, "/signin/email");
    assert_eq!(browser.page.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_left_open_over_night_is_asked_for_again_and_not_compared() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    let old = browser.page.clone();
    browser.cookies.clear();
    browser.open("/signin").await;
    browser.page = old;
    let page = browser
        .press("/signin", &[("user_id", "04500001"), ("password", "pass")])
        .await;
    assert!(page.shows(JAPANESE.stale_form));
    assert_eq!(page.fields("/signin")["user_id"], "04500001");
    assert_eq!(world.count("VerifyPassword"), 0);
}

#[tokio::test]
async fn without_cookies_a_page_says_why_and_what_to_do() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    browser.cookies.clear();
    let page = browser
        .press("/signin", &[("user_id", "04500001"), ("password", "pass")])
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.shows(JAPANESE.cookie_missing_intro) && page.shows(JAPANESE.cookie_missing_advice));
    assert_eq!(world.count("VerifyPassword"), 0);
}

#[tokio::test]
async fn who_is_signed_in_goes_on_to_the_top_page() {
    let mut browser = Browser::new(&World::new());
    browser.sign_in_fully().await;
    assert_eq!(browser.open("/signin").await.address, "/top");
    assert_eq!(browser.open("/").await.address, "/top");
}

/// C-28, the other mode; the manual's own texts: `a_wrong_password_gets_case_2_of_the_manual_and_the_focus`.
#[tokio::test]
async fn where_they_are_not_to_be_told_apart_an_unknown_id_and_a_wrong_password_look_alike() {
    let mut pages = Vec::new();
    for reason in [Reason::UnknownAccount, Reason::WrongPassword] {
        let world = World::new();
        world.state().rejected = Some(reason);
        let mut browser = Browser::at(Gateway {
            disclosure: Disclosure::Generic,
            ..gateway(services::serve(&world))
        });
        let page = browser.sign_in().await;
        assert!(page.shows(JAPANESE.not_accepted), "{reason:?}");
        let mut text = page.text.replace(JAPANESE.not_accepted, "");
        assert!(!text.contains(JAPANESE.unknown_account) && !text.contains(JAPANESE.wrong_password));
        for form in ["/signin", "/ncr/start"] {
            text = text.replace(&page.fields(form)["csrf"], "");
        }
        pages.push((page.address.clone(), text));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn an_address_that_tried_too_much_is_told_to_come_back_later() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    world.state().rejected = Some(Reason::Throttled);
    let page = browser.sign_in().await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(page.header("retry-after"), "60");
    assert!(page.shows(JAPANESE.busy_intro) && page.shows("<a href=\"/signin\">"));

    world.refuse(
        "RequestPasswordReset",
        Code::ResourceExhausted,
        "CLIENT_THROTTLED",
    );
    browser.open("/password/forgot").await;
    let page = browser
        .press("/password/forgot", &[("user_id", "04500001")])
        .await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.shows("<a href=\"/password/forgot\">"));
}

#[tokio::test]
async fn the_second_host_says_so_and_does_not_send_people_to_itself() {
    let mut browser = Browser::at(gateway(services::serve(&World::new())));
    browser.host = STANDBY;
    let page = browser.open("/signin").await;
    assert!(page.shows("予備のサイト（portal2）に接続しています。"));
    assert!(!page.shows(JAPANESE.standby_url));
}
