//! `/signout`: ends the session.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::assets::CLEAR_SITE_DATA;
use super::{Answer, Frame, html, is_current, session};
use crate::backends::{Ended, Fault, Reason};
use crate::cookies::{Anonymous, Cookies, Flow, Person, Reset, Session};
use crate::edge::Site;
use crate::form::Form;
use crate::notes::Note;
use crate::refusal::Place;
use crate::{Gateway, marks, texts};

/// What the marks of the button name, here and on the top page.
pub const FORM: &str = "/signout";

#[derive(Template)]
#[template(path = "signout.html")]
struct SignOut {
    frame: Frame,
    mark: String,
}

/// GET: the button. An address alone, however somebody got here, ends nothing.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let Some(session) = session(&gateway, &mut cookies).await? else {
        return Ok((cookies, Redirect::to("/signin")).into_response());
    };
    let mark = marks::make(&gateway.seals, FORM, &session.token);
    let page = html(&SignOut {
        frame: Frame::new(texts::SIGN_OUT, &site),
        mark,
    })?;
    Ok((cookies, page).into_response())
}

/// POST: ends the session at the server, and only then answers. Without a session there is nothing left to end.
pub async fn submit(State(gateway): State<Arc<Gateway>>, cookies: Cookies, form: Form) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let mut ended = Ended::Recorded;
    if let Some(session) = cookies.read::<Session>() {
        if !is_current(&gateway, FORM, &session.token, &mark)? {
            // Of the session before: the button of this one.
            return Ok(Redirect::to("/signout").into_response());
        }
        match gateway.backends.end(&session).await {
            Ok(how) => ended = how,
            Err(Fault::Refused(Reason::SessionOver(_))) => {}
            Err(fault) => return Err(fault.refusal(Place::SignOut).into()),
        }
    }
    Ok(goodbye(cookies, ended))
}

/// Leaves nothing behind, neither a cookie nor anything that the browser stored. That all cookies change also tells the
/// browser that the pages before are no longer for the person in front of it.
fn goodbye(mut cookies: Cookies, ended: Ended) -> Response {
    cookies.forget::<Session>();
    cookies.forget::<Person>();
    cookies.forget::<Flow>();
    cookies.forget::<Reset>();
    cookies.forget::<Note>();
    cookies.forget::<Anonymous>();
    if ended == Ended::Unrecorded {
        cookies.keep(&Note::Unrecorded);
    }
    let clear = [(CLEAR_SITE_DATA, "\"cache\", \"storage\"")];
    (cookies, clear, Redirect::to("/signed-out")).into_response()
}
