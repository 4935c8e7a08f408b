//! `/password/forgot/cancel`: キャンセル.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;

use super::{code, current};
use crate::Gateway;
use crate::backends::{Fault, Reason};
use crate::cookies::{Cookies, Past, Reset};
use crate::form::Form;
use crate::notes::{CodeMessage, SignInMessage};
use crate::pages::{Answer, is_current, to_sign_in};
use crate::refusal::Place;

/// What the mark of the form names.
pub const FORM: &str = "/password/forgot/cancel";

/// POST: ends the flow in the log first; then its secret, which only the cookie holds, is gone as well.
pub async fn submit(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let reset = current(&mut cookies)?;
    if !is_current(&gateway, FORM, &reset.flow.secret, &mark)? {
        return Ok(code::say(cookies, CodeMessage::StaleForm));
    }
    match gateway.backends.cancel_flow(&reset.flow).await {
        // A flow that was over already is as cancelled as can be.
        Ok(()) | Err(Fault::Refused(Reason::FlowOver | Reason::FlowUsed)) => {}
        Err(fault) => return Err(fault.refusal(Place::Reset).into()),
    }
    cookies.forget::<Reset>();
    cookies.keep(&Past::ResetCancelled);
    let redirect = to_sign_in(&mut cookies, &SignInMessage::ResetCancelled.note());
    Ok((cookies, redirect).into_response())
}
