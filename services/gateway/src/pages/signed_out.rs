//! `/signed-out`: サインアウト完了, and how to end the VPN connection. Public, and the same for everybody who is signed out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};

use super::{Answer, Frame, assets, html, read_once, session};
use crate::Gateway;
use crate::cookies::Cookies;
use crate::edge::Site;
use crate::notes::{Leftovers, Note};

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOut {
    frame: Frame,
    leftovers: Leftovers,
}

/// GET: the page. Nobody with a live session is told that they are signed out: at a shared terminal they might believe it.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    if session(&gateway, &mut cookies).await?.is_some() {
        return Ok(Redirect::to("/top").into_response());
    }
    let frame = Frame {
        icon: assets::CLEARING_ICON_ADDRESS,
        ..Frame::new(site.texts().signed_out, &site)
    };
    let leftovers = match read_once(&mut cookies) {
        Some(Note::SignedOut(leftovers)) => leftovers,
        _ => Leftovers::default(),
    };
    Ok((cookies, html(&SignedOut { frame, leftovers })?).into_response())
}

impl SignedOut {
    /// The steps; the fifth names the VPN by which this host is reached.
    fn steps(&self) -> impl Iterator<Item = &'static str> {
        let (texts, standby) = (self.frame.texts, self.frame.standby);
        texts
            .vpn_steps
            .into_iter()
            .enumerate()
            .map(move |(index, step)| match index {
                4 if standby => texts.vpn_step_standby,
                _ => step,
            })
    }
}
