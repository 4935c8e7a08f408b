//! `/top`: the page of whoever is signed in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};

use super::{Answer, Frame, html, read_once, session, signout};
use crate::cookies::{Cookies, Person};
use crate::edge::Site;
use crate::{Gateway, marks, texts, times};

#[derive(Template)]
#[template(path = "top.html")]
struct Top {
    frame: Frame,
    facility: String,
    name: String,
    last: String,
    mark: String,
}

/// GET: for a live session only. The names come from their cookie, and only from the one of this very session.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let Some(session) = session(&gateway, &mut cookies).await? else {
        return Ok((cookies, Redirect::to("/signin")).into_response());
    };
    // What a page before the sign-in had to say is past.
    read_once(&mut cookies);
    let person = cookies
        .read()
        .filter(|person: &Person| person.session == session.token.digest());
    let mark = marks::make(&gateway.seals, signout::FORM, &session.token);
    let page = html(&Top::new(&site, person, mark))?;
    Ok((cookies, page).into_response())
}

impl Top {
    fn new(site: &Site, person: Option<Person>, mark: String) -> Self {
        let last = person
            .as_ref()
            .and_then(|person| person.last_signed_in)
            .and_then(times::day_and_minute);
        let (facility, name) = person
            .map(|person| (person.facility, person.name))
            .unwrap_or_default();
        Self {
            frame: Frame::new(texts::TOP, site),
            facility,
            name,
            last: last.unwrap_or_else(|| texts::NO_LAST_SIGN_IN.to_owned()),
            mark,
        }
    }
}
