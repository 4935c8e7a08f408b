//! `/`: on to the page where the person stands.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};

use super::{Answer, session};
use crate::Gateway;
use crate::cookies::Cookies;

/// GET: to the top page with a live session, else to the sign-in.
pub async fn show(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies) -> Answer {
    let session = session(&gateway, &mut cookies).await?;
    let redirect = Redirect::to(if session.is_some() { "/top" } else { "/signin" });
    Ok((cookies, redirect).into_response())
}
