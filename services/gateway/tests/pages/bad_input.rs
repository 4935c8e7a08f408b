//! Whatever is sent to a form: no mistake of ours, and always a whole page in the reader's language.

use std::collections::BTreeMap;

use http::{StatusCode, header};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sekisho_gallery::browser::{Browser, encode};
use sekisho_gallery::corpus::{CORPUS, RAW};

use sekisho_proto::credentials::v1::verify_password_response::Reason;

use crate::forms::{FORMS, at, changes};

/// So many bad inputs to each form in the short tier.
const SHORT: usize = 1_000;
/// What one form is sent.
#[derive(Debug, Clone)]
enum Bad {
    /// Fields with these values, as many as the form has.
    Values(Vec<String>),
    /// A value that is written as it is, in the place of this field's.
    Raw(usize, &'static str),
    /// Without this field.
    Without(usize),
    /// This field twice.
    Twice(usize),
    /// A field that the form does not have.
    Unknown(String),
    /// No form at all.
    Bytes(Vec<u8>),
    /// Another media type.
    MediaType(&'static str),
    /// More than anybody types.
    Long(usize),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,80}",
        "[０-９ーー 　-]{0,12}",
        "[0-9]{0,12}",
        proptest::sample::select(&CORPUS[..]).prop_map(str::to_owned),
    ]
}

fn bad() -> impl Strategy<Value = Bad> {
    let place = 0..6_usize;
    prop_oneof![
        6 => proptest::collection::vec(text(), 6).prop_map(Bad::Values),
        2 => (place.clone(), proptest::sample::select(&RAW[..])).prop_map(|(place, raw)| Bad::Raw(place, raw)),
        1 => place.clone().prop_map(Bad::Without),
        1 => place.prop_map(Bad::Twice),
        1 => text().prop_map(Bad::Unknown),
        1 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(Bad::Bytes),
        1 => proptest::sample::select(&["", "text/plain", "application/json", "multipart/form-data; boundary=x"][..])
            .prop_map(Bad::MediaType),
        1 => (1..40_000_usize).prop_map(Bad::Long),
    ]
}

impl Bad {
    /// The body, beside these fields of the page.
    fn body(&self, mut fields: BTreeMap<String, String>, typed: &[&str]) -> Vec<u8> {
        for name in typed {
            fields.entry((*name).to_owned()).or_default();
        }
        let names: Vec<String> = fields.keys().cloned().collect();
        let name = |place: usize| names[place % names.len()].clone();
        // Most often what the page itself sends is right, so that what is typed is looked at.
        let mut raw = None;
        match self {
            Self::Values(values) => {
                let (first, typed_ones) = (&values[0], typed.iter().zip(&values[1..]));
                for (name, value) in typed_ones {
                    fields.insert((*name).to_owned(), value.clone());
                }
                let hidden = ["csrf", "command"].get(first.len() % 8);
                if let Some(field) = hidden.and_then(|name| fields.get_mut(*name)) {
                    field.clone_from(first);
                }
            }
            Self::Raw(place, value) => {
                fields.remove(&name(*place));
                raw = Some(format!("{}={value}", name(*place)));
            }
            Self::Without(place) => drop(fields.remove(&name(*place))),
            Self::Twice(place) => raw = Some(format!("{}=again", name(*place))),
            Self::Unknown(value) => drop(fields.insert("x".to_owned() + value, value.clone())),
            Self::Bytes(bytes) => return bytes.clone(),
            Self::MediaType(_) => {}
            Self::Long(length) => {
                let long = "あ".repeat(length / 3);
                fields.insert(
                    typed.first().map_or_else(|| name(0), |typed| (*typed).to_owned()),
                    long,
                );
            }
        }
        let pairs = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.chain(raw).collect::<Vec<_>>().join("&").into_bytes()
    }
}

async fn send(browser: &mut Browser, form: &str, typed: &[&str], bad: &Bad, number: usize) {
    let said = format!("{form}, number {number}: {bad:?}");
    let fields = browser.page.fields(form);
    let body = bad.body(fields, typed);
    let mut request = browser.post(form, body);
    if let Bad::MediaType(other) = bad {
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, http::HeaderValue::from_static(other));
    }
    let page = browser.follow(request).await;
    assert!(!page.status.is_server_error(), "{said}: {}", page.status);
    let is_whole =
        page.text.starts_with("<!doctype html>\n<html lang=\"ja\">") && page.text.ends_with("</html>");
    assert!(is_whole, "{said}: {}", page.text);
    assert!(page.text.contains("『9章 お困りのときは』"), "{said}");
    assert!(
        !page.text.contains("<script>") && !page.text.contains("<img src=x"),
        "{said}"
    );
    if page.status == StatusCode::OK {
        assert!(page.header("content-type").starts_with("text/html"), "{said}");
    }
}

/// So many to this form; the same ones each time. Some are good enough to go through: after one of them all begins anew.
async fn flood(form: &str, typed: &[(&str, &str)], times: usize) {
    let mut runner = TestRunner::deterministic();
    let strategy = bad();
    let names: Vec<&str> = typed.iter().map(|(name, _)| *name).collect();
    let (mut world, mut fresh) = at(form).await;
    let mut before = changes(&world);
    let mut escaped = 0;
    for number in 0..times {
        let bad = strategy.new_tree(&mut runner).unwrap().current();
        // Half of what is typed is shown again.
        world.state().rejected = (number % 2 == 0).then_some(Reason::UnknownAccount);
        let mut browser = fresh.clone();
        send(&mut browser, form, &names, &bad, number).await;
        escaped += usize::from(browser.page.shows("&#60;script&#62;") || browser.page.shows("&#60;img"));
        if changes(&world) != before {
            (world, fresh) = at(form).await;
            before = changes(&world);
        }
    }
    if form == "/signin" {
        assert!(
            escaped > times / 500,
            "{escaped} pages showed what would have run"
        );
    }
}

async fn flood_forms(forms: &[(&str, &[(&str, &str)])]) {
    for (form, typed) in forms {
        flood(form, typed, SHORT).await;
    }
}

#[tokio::test]
async fn no_bad_input_breaks_the_sign_in() {
    flood_forms(&FORMS[..2]).await;
}

#[tokio::test]
async fn no_bad_input_breaks_the_page_of_the_code() {
    flood_forms(&FORMS[2..6]).await;
}

#[tokio::test]
async fn no_bad_input_breaks_the_pages_of_a_session() {
    flood_forms(&FORMS[6..9]).await;
}

#[tokio::test]
async fn no_bad_input_breaks_a_reset() {
    flood_forms(&FORMS[9..]).await;
}

mod long_forms {
    use super::*;

    #[tokio::test]
    #[ignore = "long tier"]
    async fn ten_thousand_bad_inputs_break_no_form() {
        for (form, typed) in FORMS {
            flood(form, typed, 10 * SHORT).await;
        }
    }
}
