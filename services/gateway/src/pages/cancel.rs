//! `/signin/cancel`: キャンセル.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;

use super::{Answer, demand, flow, to_sign_in};
use crate::Gateway;
use crate::backends::{Fault, Reason};
use crate::cookies::{Cookies, Flow};
use crate::form::Form;
use crate::notes::SignInMessage;
use crate::refusal::Place;

/// What the mark of the form names.
pub const FORM: &str = "/signin/cancel";

/// POST: ends the flow in the log first; then its secret, which only the cookie holds, is gone as well.
pub async fn submit(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let flow = flow(&mut cookies)?;
    demand(&gateway, FORM, &flow.secret, &mark)?;
    match gateway.backends.cancel_flow(&flow).await {
        // A flow that was over already is as cancelled as can be.
        Ok(()) | Err(Fault::Refused(Reason::FlowOver)) => {}
        Err(fault) => return Err(fault.refusal(Place::Email).into()),
    }
    cookies.forget::<Flow>();
    let redirect = to_sign_in(&mut cookies, &SignInMessage::Cancelled.note());
    Ok((cookies, redirect).into_response())
}
