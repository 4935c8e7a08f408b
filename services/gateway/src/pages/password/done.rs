//! `/password/forgot/done`: the same for everybody who has set a new password.

use askama::Template;
use axum::response::{IntoResponse, Redirect};

use crate::cookies::{Cookies, Past};
use crate::edge::Site;
use crate::pages::{Answer, Frame, html};

#[derive(Template)]
#[template(path = "password_changed.html")]
struct Done {
    frame: Frame,
}

/// GET: the page. Nobody is signed in by a new password.
pub async fn show(site: Site, cookies: Cookies) -> Answer {
    if cookies.read() != Some(Past::PasswordChanged) {
        return Ok(Redirect::to("/signin").into_response());
    }
    html(&Done {
        frame: Frame::sign_in(site.texts().reset_done, &site),
    })
}
