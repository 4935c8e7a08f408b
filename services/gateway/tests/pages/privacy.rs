//! What the gateway writes holds nothing of what people type and are.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Method;
use sekisho_proto::credentials::v1::finish_federated_sign_in_response::Reason as Unvouched;
use sekisho_proto::otp::v1::flow_view::Mail;
use tonic::Code;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use sekisho_gallery::browser::Browser;
use sekisho_gallery::world::{CODE, World};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_line_holds_a_password_a_code_a_token_a_name_or_an_address() {
    let written = Written::default();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(written.clone())
        .with_ansi(false);
    let spans = lines.with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL);
    let gateway_only =
        tracing_subscriber::filter::Targets::new().with_target("sekisho", tracing::Level::TRACE);
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(gateway_only).with(spans));

    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.open("/signin").await;
    browser
        .press(
            "/signin",
            &[("user_id", "canary-id"), ("password", "canary-password")],
        )
        .await;
    browser.press("/signin/email/send", &[]).await;
    world.state().flow.mail = Mail::Failed.into();
    browser.open("/signin/email").await;
    world.state().flow.mail = Mail::HandedOver.into();
    browser.open("/signin/email").await;
    browser.press("/signin/email/verify", &[("code", "998877")]).await;
    browser.press("/signin/email/verify", &[("code", CODE)]).await;
    let secrets: Vec<_> = browser.cookies.values().cloned().collect();
    browser.press("/signin/email/continue", &[]).await;
    world.refuse("Check", Code::Unavailable, "");
    browser.open("/top").await;
    let mut forgetful = Browser::new(&world);
    forgetful.open("/password/forgot").await;
    forgetful
        .press("/password/forgot", &[("user_id", "canary-id")])
        .await;
    forgetful
        .press("/password/forgot/code/verify", &[("code", CODE)])
        .await;
    let new = [
        ("new_password", "canary-new-password"),
        ("new_password_again", "canary-new-password"),
    ];
    forgetful.press("/password/forgot/new", &new).await;
    assert_eq!(world.count("SetPassword"), 1);
    let of_staff = World::new();
    of_staff.state().unvouched = Some(Unvouched::Cancelled);
    let mut staff = Browser::new(&of_staff);
    staff.come_back().await;
    of_staff.state().unvouched = None;
    assert_eq!(staff.come_back().await.address, "/top");
    let request = browser
        .request(Method::GET, "/canary-path?canary-query")
        .body(Body::empty())
        .unwrap();
    browser.ask(request).await;

    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    for marker in [
        "http.route=\"/signin/email/verify\"",
        "refusal=\"down\"",
        "a code could not be mailed",
        "no sign-in with an NCR account",
    ] {
        assert!(text.contains(marker), "{marker} in {text}");
    }
    let token = format!("{:?}", world.state().token.clone().unwrap());
    let canaries = [
        "canary",
        "998877",
        CODE,
        "gantoroku",
        "g*****",
        "関所",
        "国立",
        "192.0.2.7",
        "Test/1",
        &token,
    ];
    for canary in canaries.into_iter().chain(secrets.iter().map(String::as_str)) {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
}

#[tokio::test]
async fn the_number_on_an_error_page_stands_in_the_log() {
    let written = Written::default();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(written.clone())
        .with_ansi(false);
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let mut browser = Browser::new(&World::new());
    let page = browser.open("/nowhere").await;
    let (_, rest) = page.text.split_once("<dd>").unwrap();
    let number = rest.split("</dd>").next().unwrap();
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches(number).count(), 1, "{text}");
}
