//! `/ncr/start`: the staff's button.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use sekisho_service::enquiry::Enquiry;

use super::super::{Answer, begin_flow, is_current, onward, to_sign_in};
use super::say;
use crate::Gateway;
use crate::backends::{Fault, Reason};
use crate::cookies::{Anonymous, AskAgain, Cookies};
use crate::edge::{Client, Site};
use crate::form::Form;
use crate::notes::{SignInMessage, StaffMessage};
use crate::refusal::{Place, Refusal};

/// What the mark of the staff's form names.
pub const FORM: &str = "/ncr/start";

/// GET, of a reload or an address that was typed: the button is there.
pub async fn show() -> Redirect {
    Redirect::to("/signin")
}

/// POST: begins a flow, and leads to the provider.
pub async fn submit(
    State(gateway): State<Arc<Gateway>>,
    site: Site,
    client: Client,
    mut cookies: Cookies,
    form: Form,
) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let Anonymous { secret } = cookies.read().ok_or(Refusal::CookieMissing)?;
    if !is_current(&gateway, FORM, &secret, &mark)? {
        let redirect = to_sign_in(&mut cookies, &SignInMessage::StaleForm.note());
        return Ok((cookies, redirect).into_response());
    }
    // At the second host nobody knows who used the first.
    let ask_again = site.standby || cookies.read::<AskAgain>().is_some();
    match gateway
        .backends
        .begin_federated(&site.authority, ask_again, client)
        .await
    {
        Ok(question) => {
            // Whatever comes of it: the provider may remember this person when the next one presses the button.
            cookies.keep(&AskAgain {});
            begin_flow(&mut cookies, &question.flow);
            Ok((cookies, onward::to_sign_in(&site, question.url)?).into_response())
        }
        Err(Fault::Refused(Reason::ProviderAway)) => {
            let redirect = say(&mut cookies, StaffMessage::Unreachable, Enquiry::random());
            Ok((cookies, redirect).into_response())
        }
        Err(fault) => Err(fault.refusal(Place::SignIn).into()),
    }
}
