//! `/help`: サインインできない場合. Public, and the same for everybody, but for the way back.

use askama::Template;

use super::{Answer, Frame, html};
use crate::cookies::{Cookies, Flow, Reset, Session};
use crate::edge::Site;
use crate::texts::Texts;

#[derive(Template)]
#[template(path = "help.html")]
struct Help {
    frame: Frame,
    way_back: (&'static str, &'static str),
}

/// GET: the page.
pub async fn show(site: Site, cookies: Cookies) -> Answer {
    html(&Help {
        frame: Frame::sign_in(site.texts().help_title, &site),
        way_back: way_back(&cookies, site.texts()),
    })
}

/// To where somebody stands who looks for help in between.
fn way_back(cookies: &Cookies, texts: &'static Texts) -> (&'static str, &'static str) {
    if cookies.read::<Session>().is_some() {
        ("/top", texts.back_to_top)
    } else if cookies.read::<Flow>().is_some_and(|flow| !flow.federated) {
        ("/signin/email", texts.back_to_email)
    } else if cookies.read::<Reset>().is_some() {
        ("/password/forgot/code", texts.back_to_reset)
    } else {
        ("/signin", texts.back_to_sign_in)
    }
}
