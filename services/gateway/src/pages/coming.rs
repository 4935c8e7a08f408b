//! `/ncr/start`, until it is built.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Redirect;

use super::{Answer, Frame, html, is_current, to_sign_in};
use crate::cookies::{Anonymous, Cookies};
use crate::edge::Site;
use crate::form::Form;
use crate::notes::SignInMessage;
use crate::refusal::Refusal;
use crate::{Gateway, texts};

/// What the mark of the staff's form names.
pub const FORM: &str = "/ncr/start";

#[derive(Template)]
#[template(path = "coming.html")]
struct Coming {
    frame: Frame,
}

/// GET: says so.
pub async fn show(site: Site) -> Answer {
    html(&Coming {
        frame: Frame::sign_in(texts::COMING, &site),
    })
}

/// POST of the staff's button.
pub async fn submit(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let Anonymous { secret } = cookies.read().ok_or(Refusal::CookieMissing)?;
    if !is_current(&gateway, FORM, &secret, &mark)? {
        let redirect = to_sign_in(&mut cookies, &SignInMessage::StaleForm.note());
        return Ok((cookies, redirect).into_response());
    }
    Ok(Redirect::to("/ncr/start").into_response())
}
