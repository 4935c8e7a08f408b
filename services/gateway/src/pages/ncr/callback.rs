//! `/ncr/callback`: what the browser brings back from the provider. Answers 303, so that nothing of it stays in the address; only where a
//! service is down does it stay, because the same address can be loaded again: it works if the code was not asked about yet.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use sekisho_service::enquiry::Enquiry;

use super::super::open::open;
use super::super::{Answer, session};
use super::say;
use crate::Gateway;
use crate::backends::{Fault, NotVouched, Reason, Returned, Vouched};
use crate::cookies::{Cookies, Elsewhere, Flow};
use crate::edge::{Client, Site};
use crate::notes::StaffMessage;
use crate::refusal::Place;

/// GET: ends the flow that the browser left in.
pub async fn show(
    State(gateway): State<Arc<Gateway>>,
    site: Site,
    client: Client,
    mut cookies: Cookies,
    returned: Result<Query<Returned>, QueryRejection>,
) -> Answer {
    let flow = cookies.read::<Flow>();
    // An answer that was taken before: whoever is signed in goes on to the top page.
    if flow.is_none() && session(&gateway, &mut cookies).await?.is_some() {
        return Ok((cookies, Redirect::to("/top")).into_response());
    }
    // A parameter that comes twice is none that a provider sends.
    let returned = returned.map(|Query(returned)| returned).unwrap_or_default();
    let returned = if returned.is_bounded() {
        returned
    } else {
        Returned::default()
    };
    let vouched = gateway
        .backends
        .finish_federated(flow.as_ref(), &site.authority, returned, client)
        .await;
    let enquiry = flow.as_ref().map_or_else(Enquiry::random, Flow::enquiry);
    let vouched = match vouched {
        // Without a provider, whatever somebody brings along.
        Err(Fault::Refused(Reason::ProviderAway)) => Vouched::Rejected(NotVouched::Unreachable),
        vouched => vouched.map_err(|fault| fault.refusal(Place::SignIn))?,
    };
    let message = match (vouched, flow) {
        (Vouched::Accepted { end_session_url }, Some(flow)) => {
            match open(&gateway, &mut cookies, flow, elsewhere(end_session_url)).await {
                Ok(next) => return Ok((cookies, next).into_response()),
                Err(Fault::Refused(Reason::FlowOver | Reason::FlowUsed | Reason::EvidenceMissing)) => {
                    cookies.forget::<Flow>();
                    StaffMessage::Over
                }
                Err(fault) => return Err(fault.refusal(Place::SignIn).into()),
            }
        }
        // Anybody can lead a browser here with any answer: the flow goes on, of whatever kind it is.
        (Vouched::Accepted { .. }, None) | (Vouched::Rejected(NotVouched::Binding), _) => StaffMessage::Over,
        (Vouched::Rejected(why), _) => {
            cookies.forget::<Flow>();
            message(why)
        }
    };
    let redirect = say(&mut cookies, message, enquiry);
    Ok((cookies, redirect).into_response())
}

fn elsewhere(end_session_url: String) -> Elsewhere {
    if end_session_url.is_empty() {
        Elsewhere::Unreachable
    } else {
        Elsewhere::At(end_session_url)
    }
}

fn message(why: NotVouched) -> StaffMessage {
    match why {
        NotVouched::Cancelled => StaffMessage::Cancelled,
        NotVouched::Binding => StaffMessage::Over,
        NotVouched::Retry => StaffMessage::Retry,
        NotVouched::Failed => StaffMessage::Failed,
        NotVouched::Unreachable => StaffMessage::Unreachable,
        NotVouched::NoAccount => StaffMessage::NoAccount,
        NotVouched::Disabled => StaffMessage::Disabled,
        NotVouched::FactorMissing => StaffMessage::FactorMissing,
    }
}
