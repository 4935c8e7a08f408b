//! Error pages: Japanese, with an enquiry number and a way back, and without a technical detail.

use askama::Template;
use axum::response::Html;

use super::Frame;
use crate::edge::Site;
use crate::refusal::{Place, Refusal, Trouble};
use crate::texts::Texts;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    sentences: Vec<&'static str>,
    enquiry: &'a str,
    way_back: (&'static str, &'static str),
    down: bool,
    /// Whoever is signed in may still sign out.
    closed: bool,
    /// Where the portal is meanwhile.
    elsewhere: Option<&'static str>,
}

/// The page of a refusal. A page that cannot be rendered is empty; its status still tells.
pub fn page(refusal: &Refusal, enquiry: &str, site: &Site) -> Html<String> {
    let (name, sentences) = wording(refusal, site);
    let frame = Frame {
        error: true,
        ..Frame::new(name, site)
    };
    let down = matches!(refusal, Refusal::Down(_) | Refusal::Broken);
    let page = ErrorPage {
        frame,
        sentences,
        enquiry,
        way_back: way_back(refusal, site.texts()),
        down,
        closed: matches!(refusal, Refusal::Maintenance { .. }),
        elsewhere: matches!(refusal, Refusal::Maintenance { elsewhere: true })
            .then_some(site.texts().standby_url),
    };
    Html(page.render().unwrap_or_default())
}

fn wording(refusal: &Refusal, site: &Site) -> (&'static str, Vec<&'static str>) {
    let texts = site.texts();
    match refusal {
        Refusal::Unreadable => (texts.unreadable, vec![texts.unreadable_intro]),
        Refusal::Forged => (texts.forged, vec![texts.forged_intro]),
        Refusal::CookieMissing => (
            texts.cookie_missing,
            vec![texts.cookie_missing_intro, texts.cookie_missing_advice],
        ),
        Refusal::NotFound => (texts.not_found, vec![texts.not_found_intro]),
        Refusal::Method => (texts.method, vec![texts.method_intro]),
        Refusal::TooSlow => (texts.too_slow, vec![texts.too_slow_intro]),
        Refusal::TooLarge => (texts.too_large, vec![texts.too_large_intro]),
        Refusal::MediaType => (texts.media_type, vec![texts.media_type_intro]),
        Refusal::WrongHost => (texts.wrong_host, vec![texts.wrong_host_intro]),
        Refusal::Maintenance { elsewhere: true } => (texts.closed, vec![texts.closed_intro]),
        Refusal::Maintenance { elsewhere: false } => (texts.closed, vec![texts.closed_here]),
        Refusal::Busy(_) => (texts.busy, vec![texts.busy_intro]),
        Refusal::Throttled(_) => (texts.throttled, vec![texts.busy_intro]),
        Refusal::Down(trouble) => match trouble.place {
            Place::SignIn | Place::Email => (texts.down, vec![texts.down_sign_in]),
            Place::Reset => (texts.down, vec![texts.down_reset]),
            Place::Code | Place::ResetCode => (texts.down, vec![texts.down_code]),
            Place::SignedIn => (texts.down, vec![texts.down_signed_in]),
            Place::Others => (texts.down, vec![texts.down_others]),
            Place::SignOut => (texts.down, vec![texts.down_sign_out]),
        },
        Refusal::Broken => (texts.down, vec![texts.down_sign_in]),
    }
}

fn way_back(refusal: &Refusal, texts: &'static Texts) -> (&'static str, &'static str) {
    let sign_in = ("/signin", texts.back_to_sign_in);
    match refusal {
        Refusal::Down(Trouble { place, .. }) | Refusal::Busy(place) | Refusal::Throttled(place) => {
            match place {
                Place::SignIn => sign_in,
                Place::Email | Place::Code => ("/signin/email", texts.back_to_email),
                Place::ResetCode => ("/password/forgot/code", texts.back_to_reset),
                Place::Reset => ("/password/forgot", texts.back_to_reset),
                Place::SignedIn | Place::SignOut => ("/top", texts.back_to_top),
                Place::Others => ("/history", texts.back_to_history),
            }
        }
        Refusal::Maintenance { .. } => ("/", texts.open_again),
        _ => sign_in,
    }
}
