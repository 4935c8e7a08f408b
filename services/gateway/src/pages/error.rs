//! Error pages: Japanese, with an enquiry number and a way back, and without a technical detail.

use askama::Template;
use axum::response::Html;

use super::Frame;
use crate::edge::Site;
use crate::refusal::{Place, Refusal, Trouble};
use crate::texts;

const SIGN_IN: (&str, &str) = ("/signin", texts::BACK_TO_SIGN_IN);
const EMAIL: (&str, &str) = ("/signin/email", texts::BACK_TO_EMAIL);
const RESET: (&str, &str) = ("/password/forgot", texts::BACK_TO_RESET);
const TOP: (&str, &str) = ("/top", texts::BACK_TO_TOP);

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    sentences: &'static [&'static str],
    enquiry: &'a str,
    way_back: (&'static str, &'static str),
    down: bool,
}

/// The page of a refusal. A page that cannot be rendered is empty; its status still tells.
pub fn page(refusal: &Refusal, enquiry: &str, site: Option<&Site>) -> Html<String> {
    let (name, sentences) = wording(refusal);
    let site = site.cloned().unwrap_or_default();
    let frame = Frame {
        error: true,
        ..Frame::new(name, &site)
    };
    let down = matches!(refusal, Refusal::Down(_) | Refusal::Broken);
    let page = ErrorPage {
        frame,
        sentences,
        enquiry,
        way_back: way_back(refusal),
        down,
    };
    Html(page.render().unwrap_or_default())
}

fn wording(refusal: &Refusal) -> (&'static str, &'static [&'static str]) {
    match refusal {
        Refusal::Unreadable => (texts::UNREADABLE, &[texts::UNREADABLE_INTRO]),
        Refusal::Forged => (texts::FORGED, &[texts::FORGED_INTRO]),
        Refusal::CookieMissing => (
            texts::COOKIE_MISSING,
            &[texts::COOKIE_MISSING_INTRO, texts::COOKIE_MISSING_ADVICE],
        ),
        Refusal::NotFound => (texts::NOT_FOUND, &[texts::NOT_FOUND_INTRO]),
        Refusal::Method => (texts::METHOD, &[texts::METHOD_INTRO]),
        Refusal::TooSlow => (texts::TOO_SLOW, &[texts::TOO_SLOW_INTRO]),
        Refusal::TooLarge => (texts::TOO_LARGE, &[texts::TOO_LARGE_INTRO]),
        Refusal::MediaType => (texts::MEDIA_TYPE, &[texts::MEDIA_TYPE_INTRO]),
        Refusal::WrongHost => (texts::WRONG_HOST, &[texts::WRONG_HOST_INTRO]),
        Refusal::Busy(_) => (texts::BUSY, &[texts::BUSY_INTRO]),
        Refusal::Throttled(_) => (texts::THROTTLED, &[texts::BUSY_INTRO]),
        Refusal::Down(trouble) => match trouble.place {
            Place::SignIn | Place::Email => (texts::DOWN, &[texts::DOWN_SIGN_IN]),
            Place::Reset => (texts::DOWN, &[texts::DOWN_RESET]),
            Place::SignedIn => (texts::DOWN, &[texts::DOWN_SIGNED_IN]),
            Place::SignOut => (texts::DOWN, &[texts::DOWN_SIGN_OUT]),
        },
        Refusal::Broken => (texts::DOWN, &[texts::DOWN_SIGN_IN]),
    }
}

fn way_back(refusal: &Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::Down(Trouble { place, .. }) | Refusal::Busy(place) | Refusal::Throttled(place) => {
            match place {
                Place::SignIn => SIGN_IN,
                Place::Email => EMAIL,
                Place::Reset => RESET,
                Place::SignedIn | Place::SignOut => TOP,
            }
        }
        _ => SIGN_IN,
    }
}
