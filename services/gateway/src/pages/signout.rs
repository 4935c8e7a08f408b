//! `/signout`: ends the session.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};

use super::assets::CLEAR_SITE_DATA;
use super::signed_in::SignedIn;
use super::{Answer, Frame, html, is_current, onward, session};
use crate::Gateway;
use crate::backends::{Ended, Fault, Reason};
use crate::cookies::{Anonymous, AskAgain, Cookies, Elsewhere, Flow, Last, Person, Reset, Session};
use crate::edge::Site;
use crate::form::Form;
use crate::notes::{Leftovers, Note};
use crate::refusal::Place;

/// What the marks of the button name, here and on the top page.
pub const FORM: &str = "/signout";

#[derive(Template)]
#[template(path = "signout.html")]
struct SignOut {
    frame: Frame,
    who: SignedIn,
}

/// GET: the button. An address alone, however somebody got here, ends nothing.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let Some((session, left)) = session(&gateway, &mut cookies).await? else {
        return Ok((cookies, Redirect::to("/signin")).into_response());
    };
    let page = html(&SignOut {
        frame: Frame::new(site.texts().sign_out, &site),
        who: SignedIn::new(&gateway, &cookies, &session, left),
    })?;
    Ok((cookies, page).into_response())
}

/// POST: ends the session at the server, and only then answers. Without a session there is nothing left to end.
pub async fn submit(State(gateway): State<Arc<Gateway>>, site: Site, cookies: Cookies, form: Form) -> Answer {
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
    goodbye(&site, cookies, ended)
}

/// Leaves nothing behind of the person, neither a cookie nor anything that the browser stored. That all cookies change also tells the
/// browser that the pages before are no longer for the person in front of it. Who came with an NCR account goes on to the provider.
fn goodbye(site: &Site, mut cookies: Cookies, ended: Ended) -> Answer {
    let elsewhere = cookies
        .read::<Person>()
        .map(|person| person.elsewhere)
        .unwrap_or_default();
    let leftovers = Leftovers {
        unrecorded: ended == Ended::Unrecorded,
        at_provider: elsewhere == Elsewhere::Unreachable,
    };
    cookies.forget::<Session>();
    cookies.forget::<Person>();
    cookies.forget::<Last>();
    cookies.forget::<Flow>();
    cookies.forget::<Reset>();
    cookies.forget::<Note>();
    cookies.forget::<Anonymous>();
    cookies.keep(&AskAgain {});
    if leftovers != Leftovers::default() {
        cookies.keep(&Note::SignedOut(leftovers));
    }
    let clear = [(CLEAR_SITE_DATA, "\"cache\", \"storage\"")];
    let next = match elsewhere {
        Elsewhere::At(url) => onward::to_sign_out(site, url)?,
        Elsewhere::Nowhere | Elsewhere::Unreachable => Redirect::to("/signed-out").into_response(),
    };
    Ok((cookies, clear, next).into_response())
}
