//! `/top`: the page of whoever is signed in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use time::Date;

use super::signed_in::SignedIn;
use super::{Answer, Frame, html, read_once, session};
use crate::board::Board;
use crate::cookies::{Cookies, Last};
use crate::edge::Site;
use crate::{Gateway, times};

#[derive(Template)]
#[template(path = "top.html")]
struct Top {
    frame: Frame,
    who: SignedIn,
    last: String,
    board: Arc<Board>,
}

/// GET: for a live session only. The names come from their cookie, and only from the one of this very session.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let Some((session, left)) = session(&gateway, &mut cookies).await? else {
        return Ok((cookies, Redirect::to("/signin")).into_response());
    };
    // What a page before the sign-in had to say is past.
    read_once(&mut cookies);
    if cookies.read::<Last>().is_some() {
        cookies.forget::<Last>();
    }
    let who = SignedIn::new(&gateway, &cookies, &session, left);
    let page = html(&Top::new(&site, who, gateway.board.now()))?;
    Ok((cookies, page).into_response())
}

impl Top {
    fn new(site: &Site, who: SignedIn, board: Arc<Board>) -> Self {
        let last = who.person.as_ref().and_then(|person| person.last_signed_in);
        let last = last.and_then(|at| times::day_and_minute(site.texts(), at));
        Self {
            frame: Frame::new(site.texts().top, site),
            who,
            last: last.unwrap_or_else(|| site.texts().no_last_sign_in.to_owned()),
            board,
        }
    }

    fn day(&self, date: Date) -> String {
        (self.frame.texts.day)(date.year(), date.month().into(), date.day())
    }
}
