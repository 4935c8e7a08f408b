//! `/password/forgot/done`: public, and the same for everybody.

use askama::Template;

use crate::edge::Site;
use crate::pages::{Answer, Frame, html};

#[derive(Template)]
#[template(path = "password_changed.html")]
struct Done {
    frame: Frame,
}

/// GET: the page. Nobody is signed in by a new password.
pub async fn show(site: Site) -> Answer {
    html(&Done {
        frame: Frame::sign_in(site.texts().reset_done, &site),
    })
}
