//! NCRアカウントでサインイン, as a browser sees it (screens 2.10).

use http::StatusCode;
use sekisho_gateway::texts::JAPANESE;
use sekisho_proto::credentials::v1::finish_federated_sign_in_response::Reason;
use tonic::Code;

use sekisho_gallery::browser::{Browser, CALLBACK, MAIN, STANDBY};
use sekisho_gallery::world::{AUTHORIZATION, CODE, END_SESSION, World};

/// What the last call of a method was told.
fn told(world: &World, method: &str) -> String {
    let state = world.state();
    let calls = state.calls.iter().rev();
    let (_, what) = calls.clone().find(|(name, _)| *name == method).unwrap();
    String::from_utf8(what.clone()).unwrap()
}

#[tokio::test]
async fn the_button_leads_to_the_provider_by_a_page_that_needs_no_script() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    let page = browser.press("/ncr/start", &[]).await.clone();
    assert_eq!(page.status, StatusCode::OK);
    let url = AUTHORIZATION.replace('&', "&#38;");
    assert!(
        page.shows(&format!("<meta http-equiv=\"refresh\" content=\"0; url={url}\">")),
        "{}",
        page.text
    );
    assert!(page.shows(&format!(
        "<a href=\"{url}\" autofocus>{}</a>",
        JAPANESE.to_ncr_link
    )));
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self';")
    );
    assert_eq!(told(&world, "BeginFederatedSignIn"), format!("{MAIN}|false"));
    // Reloading the address finds the button, and begins nothing.
    let reloaded = browser.open("/ncr/start").await;
    assert_eq!(reloaded.address, "/signin");
    assert_eq!(world.count("BeginFederatedSignIn"), 1);
}

#[tokio::test]
async fn who_comes_back_is_signed_in_without_a_code_and_nothing_stays_in_the_address() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    browser.press("/ncr/start", &[]).await;
    let request = browser.request(http::Method::GET, CALLBACK);
    let answer = browser
        .ask(request.body(axum::body::Body::empty()).unwrap())
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/top")
    );
    assert_eq!(
        told(&world, "FinishFederatedSignIn"),
        format!("{MAIN}|canary-state|canary-code|https://ncr.example.jp||")
    );
    assert_eq!(world.state().client, Some(("192.0.2.7".into(), "Test/1".into())));
    let page = browser.open("/top").await;
    assert!(page.shows("国立がん研究センター中央病院") && page.shows("関所 花子"));
    assert_eq!(world.count("IssueCode"), 0);
    assert!(!browser.cookies.contains_key("__Host-gtol_tx"));
}

/// Each row of the table: its text, the enquiry number, and a clean address.
#[tokio::test]
async fn each_failure_is_an_alert_with_a_number() {
    let rows = [
        (Reason::Cancelled, JAPANESE.cancelled),
        (Reason::Binding, JAPANESE.flow_over),
        (Reason::Retry, JAPANESE.ncr_retry),
        (Reason::ProviderFailed, JAPANESE.ncr_failed),
        (Reason::ProviderUnreachable, JAPANESE.ncr_unreachable),
        (Reason::Token, JAPANESE.ncr_failed),
        (Reason::NoAccount, JAPANESE.ncr_no_account),
        (Reason::Disabled, JAPANESE.disabled),
        (Reason::FactorMissing, JAPANESE.ncr_factor_missing),
    ];
    for (reason, text) in rows {
        let world = World::new();
        world.state().unvouched = Some(reason);
        let mut browser = Browser::new(&world);
        let page = browser.come_back().await.clone();
        assert_eq!(page.address, "/signin#error-summary", "{reason:?}");
        let (_, alert) = page.text.split_once("role=\"alert\"").unwrap();
        let alert = &alert[..alert.find("</div>").unwrap()];
        assert!(alert.contains(text), "{reason:?}: {alert}");
        assert!(alert.contains(JAPANESE.enquiry), "{reason:?}: {alert}");
        assert!(page.title().starts_with(JAPANESE.title_error));
        assert!(!browser.cookies.contains_key("__Host-gtol_sid"));
        assert_eq!(world.count("Start"), 0);
        // Said once.
        assert!(!browser.open("/signin").await.shows(text));
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_is_said_to_be_away() {
    for reason in ["PROVIDER_UNREACHABLE", "PROVIDER_MISSING"] {
        let world = World::new();
        world.refuse("BeginFederatedSignIn", Code::Unavailable, reason);
        let mut browser = Browser::new(&world);
        browser.open("/signin").await;
        let page = browser.press("/ncr/start", &[]).await;
        assert_eq!(page.address, "/signin#error-summary");
        assert!(page.shows(JAPANESE.ncr_unreachable) && page.shows(JAPANESE.enquiry));
    }
}

#[tokio::test]
async fn whatever_somebody_brings_along_is_answered_by_a_page() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    browser.press("/ncr/start", &[]).await;
    let long = format!("{CALLBACK}&error_description={}", "a".repeat(9_000));
    let page = browser.open(&long).await;
    assert_eq!(page.address, "/signin#error-summary");
    assert_eq!(told(&world, "FinishFederatedSignIn"), format!("{MAIN}|||||"));

    world.refuse("FinishFederatedSignIn", Code::Unavailable, "PROVIDER_MISSING");
    let page = browser.open(CALLBACK).await;
    assert_eq!(page.address, "/signin#error-summary");
    assert!(page.shows(JAPANESE.ncr_unreachable) && page.shows(JAPANESE.enquiry));
}

/// C-93: at a shared terminal the provider may still remember the person before.
#[tokio::test]
async fn after_anybody_was_signed_in_the_provider_asks_who_it_is() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.come_back().await;
    assert!(browser.attributes["__Host-gtol_ncr"].ends_with("Max-Age=43200"));
    browser.press("/signout", &[]).await;
    browser.open("/signin").await;
    browser.press("/ncr/start", &[]).await;
    assert_eq!(told(&world, "BeginFederatedSignIn"), format!("{MAIN}|true"));

    // Who only went there, whatever came of it.
    let of_a_passer_by = World::new();
    let mut browser = Browser::new(&of_a_passer_by);
    for ask_again in [false, true] {
        browser.open("/signin").await;
        browser.press("/ncr/start", &[]).await;
        let asked = told(&of_a_passer_by, "BeginFederatedSignIn");
        assert_eq!(asked, format!("{MAIN}|{ask_again}"));
    }

    // The first host is down, and who sat here before was there.
    let of_the_second_host = World::new();
    let mut browser = Browser::new(&of_the_second_host);
    browser.host = STANDBY;
    browser.open("/signin").await;
    browser.press("/ncr/start", &[]).await;
    let asked = told(&of_the_second_host, "BeginFederatedSignIn");
    assert_eq!(asked, format!("{STANDBY}|true"));

    let of_a_hospital = World::new();
    let mut browser = Browser::new(&of_a_hospital);
    browser.sign_in_fully().await;
    assert!(
        browser.cookies.remove("__Host-gtol_ncr").is_some(),
        "of the sign-in"
    );
    browser.press("/signout", &[]).await;
    browser.open("/signin").await;
    browser.press("/ncr/start", &[]).await;
    assert_eq!(
        told(&of_a_hospital, "BeginFederatedSignIn"),
        format!("{MAIN}|true")
    );
}

#[tokio::test]
async fn a_sign_out_ends_our_session_first_and_then_leads_to_the_provider() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.come_back().await;
    let page = browser.press("/signout", &[]).await.clone();
    assert_eq!(world.count("End"), 1);
    assert!(page.shows(&END_SESSION.replace('&', "&#38;")) && page.shows(JAPANESE.ncr_sign_out_intro));
    assert!(page.header("clear-site-data").contains("storage"));
    for gone in [
        "__Host-gtol_sid",
        "__Host-gtol_who",
        "__Host-gtol_tx",
        "__Host-gtol_note",
    ] {
        assert!(!browser.cookies.contains_key(gone), "{gone}");
    }
    // Where the provider sends people to in the end.
    let done = browser.open("/signed-out").await;
    assert!(done.shows(JAPANESE.signed_out_done) && !done.shows(JAPANESE.ncr_still_signed_in));

    // If our session cannot be ended, nobody is sent away from it.
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.come_back().await;
    world.refuse("End", Code::Unavailable, "");
    let page = browser.press("/signout", &[]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!page.shows("ncr.example.jp"));
}

#[tokio::test]
async fn without_a_place_to_sign_out_at_the_provider_the_page_says_so() {
    let world = World::new();
    world.state().end_session_url.clear();
    let mut browser = Browser::new(&world);
    browser.come_back().await;
    let page = browser.press("/signout", &[]).await;
    assert_eq!(page.address, "/signed-out");
    assert!(page.shows(JAPANESE.ncr_still_signed_in));
    // Nobody of a hospital is told so.
    let mut browser = Browser::new(&World::new());
    browser.sign_in_fully().await;
    let page = browser.press("/signout", &[]).await;
    assert!(page.shows(JAPANESE.signed_out_done) && !page.shows(JAPANESE.ncr_still_signed_in));
}

/// The Back button, a reload, a bookmark.
#[tokio::test]
async fn an_answer_that_was_taken_leads_to_the_top_page_while_the_session_lives() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.come_back().await;
    assert_eq!(browser.open(CALLBACK).await.address, "/top");
    assert_eq!(world.count("FinishFederatedSignIn"), 1);
    assert_eq!(world.count("FinishFederatedSignIn"), 1);
    browser.press("/signout", &[]).await;
    let page = browser.open(CALLBACK).await;
    assert_eq!(page.address, "/signin#error-summary");
    assert!(page.shows(JAPANESE.flow_over));
    // The cookie of the flow was lost on its way, and its answer comes once more.
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    browser.press("/ncr/start", &[]).await;
    let flow = browser.cookies["__Host-gtol_tx"].clone();
    browser.open(CALLBACK).await;
    browser.cookies.insert("__Host-gtol_tx".into(), flow);
    assert_eq!(browser.open(CALLBACK).await.address, "/top");
}

/// C-73: an address alone opens nothing, and ends nothing either.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_opens_nothing_and_ends_no_other_sign_in() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    let page = browser.open(CALLBACK).await;
    assert!(page.shows(JAPANESE.flow_over));
    assert_eq!(
        told(&world, "FinishFederatedSignIn").split('|').next(),
        Some(MAIN),
        "counted"
    );
    assert_eq!(world.count("Start"), 0);

    browser.sign_in().await;
    for address in [
        "/ncr/callback",
        "/ncr/callback?state=evil&code=evil",
        "/ncr/callback?state=a&state=b",
    ] {
        let page = browser.open(address).await;
        assert!(page.shows(JAPANESE.flow_over), "{address}");
    }
    assert_eq!(world.count("Start"), 0);
    browser.open("/signin/email").await;
    browser.press("/signin/email/send", &[]).await;
    browser.press("/signin/email/verify", &[("code", CODE)]).await;
    assert_eq!(browser.press("/signin/email/continue", &[]).await.address, "/top");
}

#[tokio::test]
async fn a_service_that_is_away_costs_a_reload() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    browser.press("/ncr/start", &[]).await;
    for method in ["FinishFederatedSignIn", "Start", "DescribeFlow"] {
        world.refuse(method, Code::Unavailable, "");
        let page = browser.open(CALLBACK).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{method}");
        world.allow(method);
    }
    // No page of codes is for it: such a page is of a sign-in whose place it took.
    let page = browser.open("/signin/email").await;
    assert_eq!(page.address, "/signin#error-summary");
    assert!(page.shows(JAPANESE.flow_over));
    assert_eq!(browser.open(CALLBACK).await.address, "/top");
    browser.press("/signout", &[]).await;
    assert!(browser.page.shows(JAPANESE.ncr_sign_out_intro));
}
