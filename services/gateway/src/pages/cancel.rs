//! `/signin/cancel`: キャンセル.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;

use super::{Answer, email, flow, is_current, to_sign_in};
use crate::Gateway;
use crate::backends::{Ended, Fault, Reason};
use crate::cookies::{Cookies, Flow, Past};
use crate::form::Form;
use crate::notes::{CodeMessage, SignInMessage};
use crate::refusal::Place;

/// What the mark of the form names.
pub const FORM: &str = "/signin/cancel";

/// POST: ends the flow in the log first; then its secret, which only the cookie holds, is gone as well.
pub async fn submit(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let flow = flow(&mut cookies)?;
    if !is_current(&gateway, FORM, &flow.secret, &mark)? {
        return Ok(email::say(cookies, CodeMessage::StaleForm));
    }
    let cancelled = match gateway.backends.cancel_flow(&flow).await {
        // 続行 was faster: whoever presses キャンセル after it wants no session.
        Err(Fault::Refused(Reason::FlowUsed)) => end_session(&gateway, &flow).await,
        other => other,
    };
    match cancelled {
        // A flow that was over already is as cancelled as can be.
        Ok(()) | Err(Fault::Refused(Reason::FlowOver | Reason::FlowUsed)) => {}
        Err(fault) => return Err(fault.refusal(Place::Email).into()),
    }
    cookies.forget::<Flow>();
    cookies.keep(&Past::SignInCancelled);
    let redirect = to_sign_in(&mut cookies, &SignInMessage::Cancelled.note());
    Ok((cookies, redirect).into_response())
}

/// Ends the session that a flow has become. Its token is asked for once more: the answer with the cookie may never have
/// reached the browser.
async fn end_session(gateway: &Gateway, flow: &Flow) -> Result<(), Fault> {
    let started = gateway.backends.start(flow).await?;
    match gateway.backends.end(&started.session).await {
        Ok(Ended::Recorded | Ended::Unrecorded) | Err(Fault::Refused(Reason::SessionOver(_))) => Ok(()),
        Err(fault) => Err(fault),
    }
}
