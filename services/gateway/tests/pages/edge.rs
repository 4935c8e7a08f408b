//! What every answer has, whatever the page.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::routing::get;
use axum::{Router, middleware};
use http::{HeaderMap, Method, StatusCode};
use sekisho_gateway::edge::guard;
use sekisho_gateway::texts::JAPANESE;

use tonic::Code;
use tower::ServiceExt as _;

use sekisho_gallery::browser::{Browser, MAIN, Page, alone, gateway};
use sekisho_gallery::services;
use sekisho_gallery::states::show;
use sekisho_gallery::world::World;

async fn get_once(browser: &mut Browser, path: &str) {
    let request = browser.request(Method::GET, path).body(Body::empty()).unwrap();
    browser.ask(request).await;
}

/// Screens: 14 KB over the wire, headers included, for who has nothing of it yet; and from nowhere else.
#[tokio::test]
async fn the_whole_sign_in_page_is_small_and_comes_from_one_place() {
    let mut browser = Browser::new(&World::new());
    let page = browser.open("/signin").await.clone();
    let mut loaded: Vec<&str> = Vec::new();
    for (before, after) in [
        ("src=\"", '"'),
        ("<link rel=\"icon\" href=\"", '"'),
        ("<link rel=\"stylesheet\" href=\"", '"'),
    ] {
        loaded.extend(
            page.text
                .split(before)
                .skip(1)
                .map(|rest| rest.split(after).next().unwrap()),
        );
    }
    loaded.sort_unstable();
    loaded.dedup();
    assert_eq!(loaded.len(), 3, "{loaded:?}");
    let mut bytes = weight(&page.headers, page.text.len());
    for address in loaded {
        assert!(address.starts_with("/assets/"), "{address}");
        let (headers, body) = packed(&browser, address).await;
        bytes += weight(&headers, body.len());
    }
    assert!(bytes < 14 * 1024, "{bytes} bytes");
}

/// As a browser gets a file.
async fn packed(browser: &Browser, address: &str) -> (HeaderMap, Bytes) {
    let request = browser
        .request(Method::GET, address)
        .header("accept-encoding", "gzip, deflate, br");
    let request = request.body(Body::empty()).unwrap();
    let (parts, body) = browser
        .router
        .clone()
        .oneshot(request)
        .await
        .unwrap()
        .into_parts();
    (
        parts.headers,
        axum::body::to_bytes(body, usize::MAX).await.unwrap(),
    )
}

fn weight(headers: &HeaderMap, body: usize) -> usize {
    let lines = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    lines.sum::<usize>() + body
}

/// What is packed is what is not.
#[tokio::test]
async fn a_packed_file_is_the_file() {
    let browser = Browser::new(&World::new());
    for address in ["/assets/style-0.css", "/assets/script-0.js"] {
        let plain = browser.clone().open(address).await.clone();
        assert_eq!(
            (plain.header("content-encoding"), plain.header("vary")),
            ("", "accept-encoding")
        );
        let (headers, body) = packed(&browser, address).await;
        assert_eq!(headers["content-encoding"], "gzip");
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&body[..])
            .read_to_string(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, plain.text);
    }
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let mut browser = Browser::new(&World::new());
    for (path, status) in [
        ("/signin", 200),
        ("/", 303),
        ("/nowhere", 404),
        ("/signin/cancel", 405),
        ("/assets/x", 404),
        ("/assets/script-0.js", 200),
    ] {
        get_once(&mut browser, path).await;
        has_headers(&browser.page, path, status);
    }
    for (state, status) in [
        ("unreadable", 400),
        ("forged", 403),
        ("too-large", 413),
        ("media-type", 415),
        ("throttled", 429),
        ("busy", 503),
        ("down", 503),
        ("maintenance", 503),
    ] {
        has_headers(&show(state).await.page, state, status);
    }
}

fn has_headers(page: &Page, path: &str, status: u16) {
    assert_eq!(page.status.as_u16(), status, "{path}");
    assert_eq!(page.header("cache-control"), "no-store", "{path}");
    assert_eq!(
        page.header("strict-transport-security"),
        "max-age=31536000; includeSubDomains"
    );
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
            base-uri 'none'; frame-ancestors 'none'";
    assert_eq!(page.header("content-security-policy"), policy);
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("cross-origin-resource-policy"), "same-origin");
    assert!(page.header("permissions-policy").contains("camera=(), "));
}

#[tokio::test]
async fn names_of_this_machine_get_no_hsts() {
    let mut browser = Browser::new(&World::new());
    browser.host = "localhost:8080";
    get_once(&mut browser, "/signin").await;
    assert_eq!(browser.page.status, StatusCode::OK);
    assert_eq!(browser.page.header("strict-transport-security"), "");
}

/// All of them, over a sign-in and a reset.
#[tokio::test]
async fn cookies_belong_to_this_host_and_this_browser_window_only() {
    const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";
    let mut browser = Browser::new(&World::new());
    browser.open("/signin").await;
    browser
        .press("/signin", &[("user_id", ""), ("password", "")])
        .await;
    browser.forget_and_prove().await;
    browser.sign_in_fully().await;
    browser.open("/history").await;
    let known = ["csrf", "dev", "last", "ncr", "note", "reset", "sid", "tx", "who"]
        .map(|name| format!("__Host-gtol_{name}"));
    assert!(browser.attributes.keys().eq(&known), "{:?}", browser.attributes);
    for (name, attributes) in &browser.attributes {
        let stays = match name.as_str() {
            // Those that open nothing: this browser is no stranger, and somebody was signed in here.
            "__Host-gtol_dev" => "; Max-Age=15552000",
            "__Host-gtol_ncr" => "; Max-Age=43200",
            _ => "",
        };
        assert_eq!(*attributes, format!("{ATTRIBUTES}{stays}"), "{name}");
    }
}

#[tokio::test]
async fn another_host_is_misdirected() {
    let mut browser = Browser::new(&World::new());
    browser.host = "evil.example";
    get_once(&mut browser, "/signin").await;
    assert_eq!(browser.page.status, StatusCode::MISDIRECTED_REQUEST);
    assert!(browser.page.shows(JAPANESE.wrong_host_intro));
    assert_eq!(browser.page.header("set-cookie"), "");
}

/// Neither a redirect nor a page is made of what somebody before us says.
#[tokio::test]
async fn a_forwarded_host_is_believed_by_nobody() {
    let mut browser = Browser::new(&World::new());
    for path in ["/", "/top", "/signin", "/password/forgot"] {
        let request = browser
            .request(Method::GET, path)
            .header("x-forwarded-host", "evil.example")
            .header("forwarded", "host=evil.example")
            .body(Body::empty())
            .unwrap();
        let page = browser.ask(request).await;
        assert!(page.status.is_success() || page.status.is_redirection(), "{path}");
        assert!(!page.text.contains("evil.example"), "{path}");
        assert!(!page.header("location").contains("evil.example"), "{path}");
    }
}

#[tokio::test]
async fn a_method_that_a_page_does_not_know_is_told_the_others() {
    let mut browser = Browser::new(&World::new());
    for (method, path, allow) in [
        (Method::GET, "/signin/email/send", "POST"),
        (Method::PUT, "/signin", "GET,HEAD,POST"),
        (Method::POST, "/top", "GET,HEAD"),
        (Method::TRACE, "/", "GET,HEAD"),
        (Method::OPTIONS, "/signed-out", "GET,HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/signout", "GET,HEAD,POST"),
    ] {
        let request = browser.request(method.clone(), path).body(Body::empty()).unwrap();
        let page = browser.ask(request).await;
        assert_eq!(
            (page.status, page.header("allow")),
            (StatusCode::METHOD_NOT_ALLOWED, allow),
            "{method} {path}"
        );
        assert!(page.shows(JAPANESE.method_intro));
    }
}

#[tokio::test]
async fn health_and_other_inner_addresses_are_not_for_browsers() {
    let mut browser = Browser::new(&World::new());
    for path in [
        "/health/live",
        "/health/ready",
        "/metrics",
        "/password/change",
        "//signin",
    ] {
        get_once(&mut browser, path).await;
        assert_eq!(browser.page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(browser.page.shows(JAPANESE.not_found_intro));
    }
}

/// So that a flood of them is one entry a minute in the log of sign-ins.
#[tokio::test]
async fn refused_forms_are_told_by_where_they_came_from_until_somebody_has_heard() {
    let world = World::new();
    let gateway = gateway(services::serve(&world));
    let (forms, backends) = (gateway.refused_forms.clone(), gateway.backends.clone());
    let mut browser = Browser::at(gateway);
    browser.open("/signin").await;
    let typed = [("user_id", "1"), ("password", "1")];
    let good = browser.send("/signin", &typed).await.status;
    assert_eq!(good, StatusCode::SEE_OTHER);
    browser.open("/signin").await;
    for fields in [
        [("csrf", "x"), typed[0], typed[1]],
        [("more", "x"), typed[0], typed[1]],
    ] {
        let request = browser.filled("/signin", &fields);
        assert!(browser.clone().ask(request).await.status.is_client_error());
    }
    get_once(&mut browser, "/nowhere").await;

    world.refuse("NoteRefusedForms", Code::Unavailable, "");
    forms.report_once(&backends).await;
    world.allow("NoteRefusedForms");
    forms.report_once(&backends).await;
    forms.report_once(&backends).await;
    let told: Vec<_> = world
        .state()
        .calls
        .iter()
        .filter(|(name, _)| *name == "NoteRefusedForms")
        .map(|(_, told)| String::from_utf8(told.clone()).unwrap())
        .collect();
    assert_eq!(told, ["2 from 192.0.2.7", "2 from 192.0.2.7"]);
}

/// All source files of a folder, one after another.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap();
    let of = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => std::fs::read_to_string(path).unwrap(),
        _ => String::new(),
    };
    entries.map(|entry| of(entry.unwrap().path())).collect()
}

/// Every address that the documents name, with its methods.
pub fn addresses() -> BTreeMap<&'static str, &'static str> {
    let rows = include_str!("../../../../docs/addresses.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| {
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`'));
        (cells.next().unwrap(), cells.next().unwrap())
    });
    cells.collect()
}

/// C-31: what is not in the documents is not there.
#[tokio::test]
async fn every_address_stands_in_the_documents_with_its_methods() {
    let documented = addresses();
    let source = sources(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path());
    // Health is served on a listener of its own.
    let source = source.replace(".nest(\"/health\"", "");
    // What puts another router beside or below this one would hide its routes from the next line.
    for way in [".nest(", ".nest_service(", ".merge(", ".route_service("] {
        assert!(!source.contains(way), "{way}");
    }
    let routes = source
        .split(".route(")
        .skip(1)
        .map(|rest| rest.split('"').nth(1).unwrap());
    assert_eq!(
        documented.keys().copied().collect::<BTreeSet<_>>(),
        routes.collect()
    );
    let mut browser = Browser::new(&World::new());
    for (address, methods) in documented {
        let request = browser
            .request(Method::DELETE, address)
            .body(Body::empty())
            .unwrap();
        let page = browser.ask(request).await;
        let allowed = page.header("allow").replace(",HEAD", "").replace(',', ", ");
        assert_eq!(
            (page.status, allowed.as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, methods),
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_page_that_panics_is_an_error_page_with_the_headers() {
    async fn panics() {
        assert!(std::hint::black_box(false), "on purpose");
    }
    let gateway = Arc::new(alone());
    let guard = middleware::from_fn_with_state(gateway, guard);
    let mut browser = Browser::at(alone());
    browser.router = Router::new().route("/", get(panics)).layer(guard);
    get_once(&mut browser, "/").await;
    assert_eq!(browser.page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(browser.page.shows(JAPANESE.down) && browser.page.shows(JAPANESE.enquiry));
    assert_eq!(browser.page.header("referrer-policy"), "no-referrer");
}

#[tokio::test]
async fn the_stylesheet_may_be_kept_and_pages_name_it() {
    let mut browser = Browser::new(&World::new());
    let page = browser.open("/signin").await.clone();
    let (_, rest) = page.text.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let address = rest.split('"').next().unwrap();
    let style = browser.open(address).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(
        style.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let other = browser.open("/assets/style-00000000.css").await;
    assert_eq!(
        (other.status, other.header("cache-control")),
        (StatusCode::OK, "no-store")
    );
    assert_eq!(
        browser.open("/assets/icon.svg").await.header("content-type"),
        "image/svg+xml"
    );
}

#[tokio::test]
async fn an_answer_names_its_trace() {
    let mut browser = Browser::new(&World::new());
    get_once(&mut browser, "/signin").await;
    let parts: Vec<_> = browser.page.header("traceresponse").split('-').collect();
    assert_eq!(
        (parts.len(), parts[0].len(), parts[1].len(), parts[2].len()),
        (4, 2, 32, 16)
    );
    assert_ne!(parts[1], "0".repeat(32));
}

#[tokio::test]
async fn the_host_may_carry_a_port() {
    let mut browser = Browser::new(&World::new());
    assert_eq!(browser.host, MAIN);
    browser.host = "portal.internal.gtol.ncc.go.jp:8443";
    get_once(&mut browser, "/signin").await;
    assert_eq!(browser.page.status, StatusCode::OK);
}
