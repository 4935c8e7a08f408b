//! A page that leads on to the provider by itself. Not a redirect: browsers follow one after a form only to where forms may go, and
//! that is nowhere but here; where the provider sends people on to is its own affair.

use askama::Template;

use super::{Answer, Frame, html};
use crate::edge::Site;
use crate::texts;

#[derive(Template)]
#[template(path = "onward.html")]
struct Onward {
    frame: Frame,
    sentence: &'static str,
    link: &'static str,
    url: String,
}

/// To the sign-in at the provider.
pub(super) fn to_sign_in(site: &Site, url: String) -> Answer {
    html(&Onward {
        frame: Frame::sign_in(texts::TO_NCR, site),
        sentence: texts::TO_NCR_INTRO,
        link: texts::TO_NCR_LINK,
        url,
    })
}

/// To the end of a sign-in at the provider.
pub(super) fn to_sign_out(site: &Site, url: String) -> Answer {
    html(&Onward {
        frame: Frame::new(texts::NCR_SIGN_OUT, site),
        sentence: texts::NCR_SIGN_OUT_INTRO,
        link: texts::NCR_SIGN_OUT_LINK,
        url,
    })
}
