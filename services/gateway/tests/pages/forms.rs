//! What is accepted as a form, and from whom.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::{Method, StatusCode, header};
use sekisho_gateway::texts::JAPANESE;
use sekisho_proto::credentials::v1::verify_password_response::Reason;

use crate::edge::addresses;
use sekisho_gallery::browser::{Browser, encode};
use sekisho_gallery::world::{CODE, World};

/// Every form, with the field that somebody types into.
pub const FORMS: [(&str, &[(&str, &str)]); 14] = [
    ("/signin", &[("user_id", "04500001"), ("password", "pass")]),
    ("/ncr/start", &[]),
    ("/signin/email/send", &[]),
    ("/signin/email/verify", &[("code", CODE)]),
    ("/signin/email/continue", &[]),
    ("/signin/cancel", &[]),
    ("/signout", &[]),
    ("/session/extend", &[]),
    ("/history/others", &[]),
    ("/password/forgot", &[("user_id", "04500001")]),
    ("/password/forgot/code/send", &[]),
    ("/password/forgot/code/verify", &[("code", CODE)]),
    (
        "/password/forgot/new",
        &[("new_password", "pass"), ("new_password_again", "pass")],
    ),
    ("/password/forgot/cancel", &[]),
];

/// A browser that shows the form with this action.
pub async fn at(form: &str) -> (World, Browser) {
    let world = World::new();
    let mut browser = Browser::new(&world);
    match form {
        "/signin" | "/ncr/start" => drop(browser.open("/signin").await.clone()),
        "/signout" | "/session/extend" => drop(browser.sign_in_fully().await.clone()),
        "/history/others" => {
            world.state().others = 1;
            browser.sign_in_fully().await;
            browser.open("/history").await;
        }
        "/password/forgot" => drop(browser.open("/password/forgot").await.clone()),
        "/password/forgot/new" => drop(browser.forget_and_prove().await.clone()),
        _ if form.starts_with("/password") => drop(browser.forget().await.clone()),
        _ => {
            browser.sign_in().await;
            browser.press("/signin/email/send", &[]).await;
        }
    }
    (world, browser)
}

#[tokio::test]
async fn a_form_without_its_mark_or_with_another_browsers_mark_changes_nothing() {
    for (form, typed) in FORMS {
        let (world, mut browser) = at(form).await;
        let (_, other) = at(form).await;
        let theirs = other.page.fields(form)["csrf"].clone();
        let calls = changes(&world);
        for mark in ["", "x", theirs.as_str()] {
            let mut fields = typed.to_vec();
            fields.push(("csrf", mark));
            let answer = browser.clone().send(form, &fields).await.clone();
            // A genuine mark is taken for one of a page that was left open: the present state is shown.
            let expected = if mark == theirs {
                StatusCode::SEE_OTHER
            } else {
                StatusCode::FORBIDDEN
            };
            assert_eq!(answer.status, expected, "{form} {mark}");
        }
        assert_eq!(changes(&world), calls, "{form}");
        assert_ne!(
            browser.send(form, typed).await.status,
            StatusCode::FORBIDDEN,
            "{form}"
        );
    }
}

#[tokio::test]
async fn a_form_from_another_site_changes_nothing() {
    for (form, typed) in FORMS {
        let (world, mut browser) = at(form).await;
        let calls = changes(&world);
        for (started, origin) in [
            (Some("cross-site"), Some("https://evil.example")),
            (Some("same-site"), Some("https://portal2.internal.gtol.ncc.go.jp")),
            (Some("cross-site"), None),
            (None, Some("https://evil.example")),
            (None, Some("null")),
        ] {
            let (mut parts, body) = browser.filled(form, typed).into_parts();
            for (name, value) in [("sec-fetch-site", started), ("origin", origin)] {
                parts.headers.remove(name);
                if let Some(value) = value {
                    parts.headers.insert(name, value.parse().unwrap());
                }
            }
            let page = browser.ask(http::Request::from_parts(parts, body)).await.clone();
            assert_eq!(
                page.status,
                StatusCode::FORBIDDEN,
                "{form} {started:?} {origin:?}"
            );
            assert!(page.shows(JAPANESE.forged_intro) && page.shows("<a href=\"/signin\">"));
            browser = at_again(browser, form).await;
        }
        assert_eq!(changes(&world), calls, "{form}");
    }
}

/// Calls that change something.
pub fn changes(world: &World) -> usize {
    let reads = ["Check", "GetFlow", "DescribeFlow", "GetHistory"];
    world
        .state()
        .calls
        .iter()
        .filter(|(name, _)| !reads.contains(name))
        .count()
}

/// Shows the page with the form once more.
async fn at_again(mut browser: Browser, form: &str) -> Browser {
    let page = match form {
        "/signin" | "/ncr/start" => "/signin",
        "/signout" | "/session/extend" => "/top",
        "/history/others" => "/history",
        "/password/forgot" => "/password/forgot",
        "/password/forgot/new" => "/password/forgot/new",
        _ if form.starts_with("/password") => "/password/forgot/code",
        _ => "/signin/email",
    };
    browser.open(page).await;
    browser
}

#[tokio::test]
async fn the_mark_of_another_form_opens_nothing() {
    let (world, mut browser) = at("/signin/email/send").await;
    let mark = browser.page.fields("/signin/cancel")["csrf"].clone();
    let page = browser.press("/signin/email/continue", &[("csrf", &mark)]).await;
    assert!(page.shows(JAPANESE.stale_button));
    assert_eq!(world.count("Start"), 0);
}

#[tokio::test]
async fn unknown_repeated_and_missing_fields_are_refused() {
    let (world, mut browser) = at("/signin").await;
    let mark = browser.page.fields("/signin")["csrf"].clone();
    for body in [
        format!("csrf={mark}&user_id=1&password=1&role=admin"),
        format!("csrf={mark}&user_id=1&user_id=2&password=1"),
        format!("csrf={mark}&user_id=1"),
        "user_id=1&password=1".to_owned(),
        String::new(),
    ] {
        refused(&mut browser, body).await;
    }
    assert_eq!(world.count("VerifyPassword"), 0);
}

#[tokio::test]
async fn control_characters_and_broken_text_are_refused() {
    let (world, mut browser) = at("/signin").await;
    let mark = browser.page.fields("/signin")["csrf"].clone();
    for value in [
        "%00",
        "a%0D%0Ab",
        "%1B%5B31m",
        "%C2%85",
        "%FF%FE",
        "%ED%A0%80",
        "%",
        "%G0",
    ] {
        refused(&mut browser, format!("csrf={mark}&user_id={value}&password=1")).await;
        refused(&mut browser, format!("csrf={mark}&user_id=1&password={value}")).await;
    }
    assert_eq!(world.count("VerifyPassword"), 0);
}

async fn refused(browser: &mut Browser, body: String) {
    let request = browser.post("/signin", body.clone());
    let page = browser.ask(request).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{body}");
    assert!(page.shows(JAPANESE.unreadable_intro) && page.shows(JAPANESE.enquiry));
}

#[tokio::test]
async fn a_command_id_that_is_none_is_refused() {
    let (world, mut browser) = at("/signin/email/send").await;
    let page = browser.press("/signin/email/send", &[("command", "AAAA")]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.count("IssueCode"), 1);
}

#[tokio::test]
async fn more_than_16_kib_are_refused_announced_or_not() {
    let (_, mut browser) = at("/signin").await;
    let long = "a".repeat(16 * 1024 + 1);
    let chunks = vec![Ok::<_, std::io::Error>(Bytes::from(long.clone()))];
    let streamed = browser.post("/signin", Body::from_stream(tokio_stream::iter(chunks)));
    let mut announced = browser.post("/signin", Body::empty());
    announced
        .headers_mut()
        .insert(header::CONTENT_LENGTH, "16385".parse().unwrap());
    for request in [browser.post("/signin", long), streamed, announced] {
        let page = browser.ask(request).await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(page.shows(JAPANESE.too_large_intro));
    }
}

#[tokio::test]
async fn a_long_id_and_a_long_password_are_compared_like_any_other() {
    let (world, mut browser) = at("/signin").await;
    world.state().rejected = Some(Reason::UnknownAccount);
    let page = browser
        .press(
            "/signin",
            &[("user_id", &"9".repeat(1000)), ("password", &"あ".repeat(500))],
        )
        .await;
    assert!(page.shows(JAPANESE.unknown_account));
    assert_eq!(page.fields("/signin")["user_id"], "");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_not_waited_for() {
    let (_, mut browser) = at("/ncr/start").await;
    let request = browser.post(
        "/ncr/start",
        Body::from_stream(tokio_stream::pending::<std::io::Result<Bytes>>()),
    );
    let begun = tokio::time::Instant::now();
    let page = browser.ask(request).await;
    assert_eq!(page.status, StatusCode::REQUEST_TIMEOUT);
    assert!(begun.elapsed() < Duration::from_secs(11));
}

#[tokio::test]
async fn only_forms_are_accepted_as_forms() {
    let (_, mut browser) = at("/signin").await;
    for media_type in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
    ] {
        let mut request = browser.post("/signin", "{}");
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type.parse().unwrap());
        let page = browser.ask(request).await;
        assert_eq!(page.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media_type}");
        assert!(page.shows(JAPANESE.media_type_intro));
    }
}

#[tokio::test]
async fn reading_a_page_never_changes_anything() {
    // The provider's answer is a sign-in, and has a flow of its own to fit to.
    let readable = || {
        addresses()
            .into_iter()
            .filter(|(address, methods)| methods.starts_with("GET") && *address != "/ncr/callback")
    };
    for place in [
        "/signin",
        "/signin/email/verify",
        "/password/forgot/new",
        "/signout",
    ] {
        let (world, browser) = at(place).await;
        let calls = changes(&world);
        for (path, _) in readable() {
            for method in [Method::GET, Method::HEAD] {
                let request = browser.request(method, path).body(Body::empty()).unwrap();
                browser.clone().ask(request).await;
            }
        }
        assert_eq!(changes(&world), calls, "{place}");
    }
}

#[tokio::test]
async fn neither_id_nor_password_nor_code_ever_stands_in_an_address() {
    let (_, mut browser) = at("/signin/email/send").await;
    let answer = browser.send("/signin/email/verify", &[("code", "987654")]).await;
    assert!(!answer.header("location").contains("987654") && !answer.header("location").contains('?'));
    for form in [
        "/password/forgot",
        "/password/forgot/code/verify",
        "/password/forgot/new",
    ] {
        let (_, mut browser) = at(form).await;
        let typed: &[(&str, &str)] = match form {
            "/password/forgot" => &[("user_id", "987654")],
            "/password/forgot/code/verify" => &[("code", "987654")],
            _ => &[("new_password", "987654"), ("new_password_again", "987654")],
        };
        let answer = browser.send(form, typed).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{form}");
        assert!(!answer.header("location").contains("987654") && !answer.header("location").contains('?'));
    }
    assert_eq!(encode("a"), "%61");
}
