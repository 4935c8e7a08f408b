//! A page that leads on to the provider by itself. Not a redirect: browsers follow one after a form only to where forms may go, and
//! that is nowhere but here; where the provider sends people on to is its own affair.

use askama::Template;

use super::{Answer, Frame, html};
use crate::edge::Site;

#[derive(Template)]
#[template(path = "onward.html")]
struct Onward {
    frame: Frame,
    sentence: &'static str,
    link: &'static str,
    url: String,
    /// Nobody is signed in here any more.
    ended: bool,
}

/// To the sign-in at the provider.
pub(super) fn to_sign_in(site: &Site, url: String) -> Answer {
    html(&Onward {
        frame: Frame::sign_in(site.texts().to_ncr, site),
        sentence: site.texts().to_ncr_intro,
        link: site.texts().to_ncr_link,
        url,
        ended: false,
    })
}

/// To the end of a sign-in at the provider.
pub(super) fn to_sign_out(site: &Site, url: String) -> Answer {
    html(&Onward {
        frame: Frame::new(site.texts().ncr_sign_out, site),
        sentence: site.texts().ncr_sign_out_intro,
        link: site.texts().ncr_sign_out_link,
        url,
        ended: true,
    })
}
