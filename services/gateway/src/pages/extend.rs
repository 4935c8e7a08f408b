//! `/session/extend`: 操作を続ける, in the warning before a session ends for want of activity.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use http::{HeaderMap, StatusCode};

use super::{Answer, is_by_script, is_current, last_page, session};
use crate::Gateway;
use crate::backends::{Fault, Left, Reason};
use crate::cookies::{Cookies, Session};
use crate::form::Form;
use crate::marks;
use crate::refusal::{Place, Refusal};

/// What the mark of the form names.
const FORM: &str = "/session/extend";

/// What the warning needs.
pub(super) struct Idle {
    /// How long there is; `None` while sessions does not tell: then nobody is warned.
    pub left: Option<Left>,
    /// Tells the windows of this session from those of another one; opens nothing.
    pub session: String,
    /// Of the form.
    pub mark: String,
}

impl Idle {
    pub fn new(gateway: &Gateway, session: &Session, left: Option<Left>) -> Self {
        Self {
            left,
            session: session.token.public_name(),
            mark: marks::make(&gateway.seals, FORM, &session.token),
        }
    }
}

/// POST: to be here is what counts. A script is told in a status whether the session lives, and says nothing of it: the page that it
/// then goes to does.
pub async fn submit(
    State(gateway): State<Arc<Gateway>>,
    mut cookies: Cookies,
    headers: HeaderMap,
    form: Form,
) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let by_script = is_by_script(&headers);
    let live = match cookies.read::<Session>() {
        Some(live) => live,
        // Another window has signed out.
        None if by_script => return Ok(StatusCode::RESET_CONTENT.into_response()),
        None => return Err(Refusal::CookieMissing.into()),
    };
    let is_of_this_one = is_current(&gateway, FORM, &live.token, &mark)?;
    if by_script {
        let status = match gateway.backends.check(&live).await {
            Ok(_) if is_of_this_one => StatusCode::NO_CONTENT,
            Ok(_) | Err(Fault::Refused(Reason::SessionOver(_))) => StatusCode::RESET_CONTENT,
            Err(fault) => return Err(fault.refusal(Place::SignedIn).into()),
        };
        return Ok(status.into_response());
    }
    let next = match session(&gateway, &mut cookies).await? {
        Some(_) => Redirect::to(last_page(&cookies, cookies.read().as_ref())),
        None => Redirect::to("/signin"),
    };
    Ok((cookies, next).into_response())
}
