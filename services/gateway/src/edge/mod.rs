//! What happens to every request and every answer, whatever the page: a span, the host check, the response headers,
//! and an error page where a handler refused.

mod answer;
mod client;
mod headers;
mod host;
mod language;
pub mod origin;
mod refused;
mod span;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::Method;
use sekisho_service::enquiry::Enquiry;
use tracing::Instrument;

use crate::Gateway;
use crate::cookies::{Cookies, Flow, Reset};
use crate::refusal::Refusal;

pub use client::{Client, Proxies};
pub use host::{Hosts, Site};
pub use language::Language;
pub use refused::RefusedForms;

/// The outermost layer of the browsers' router.
pub async fn guard(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let span = span::of(&request);
    let site = gateway.hosts.site(&request);
    let language = Language::of(request.headers());
    let cookies = Cookies::of(&gateway, request.headers());
    let path = request.uri().path().to_owned();
    let sender = (request.method() == Method::POST)
        .then(|| client::address(&gateway.proxies, request.headers(), request.extensions()));
    async {
        let answer = match site.clone() {
            Some(site) if gateway.maintenance.closes(&site) && !is_open_always(&path) => {
                let elsewhere = !site.standby && gateway.maintenance.leaves_standby_open();
                Refusal::Maintenance { elsewhere }.into_response()
            }
            Some(site) => run(site, request, next).await,
            None => Refusal::WrongHost.into_response(),
        };
        if let Some(sender) = sender.flatten()
            && answer.extensions().get().is_some_and(Refusal::is_of_a_form)
        {
            gateway.refused_forms.note(&sender);
        }
        let shown_at = site.clone().unwrap_or_else(|| Site::unknown(language));
        let answer = answer::dress(answer, &shown_at, || enquiry(&cookies, &path));
        span::finish(answer.status());
        headers::add(answer, site.as_ref())
    }
    .instrument(span)
    .await
}

/// What a closed host answers all the same: what the page that says so needs, and what ends a session. Whoever is signed in at a
/// shared terminal must be able to leave.
fn is_open_always(path: &str) -> bool {
    let own = ["/help", "/signout", "/signed-out", "/session/extend"];
    own.contains(&path) || path.starts_with("/assets/")
}

/// The number of the flow that a page belongs to. Elsewhere a browser may still keep the flow of somebody who has left.
fn enquiry(cookies: &Cookies, path: &str) -> Option<Enquiry> {
    if path.starts_with("/signin/") {
        Some(cookies.read::<Flow>()?.enquiry())
    } else if path.starts_with("/password/forgot/") {
        Some(cookies.read::<Reset>()?.flow.enquiry())
    } else {
        None
    }
}

/// A panic in a page is an answer too: the person sees an error page, and the others notice nothing.
async fn run(site: Site, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(site);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| Refusal::Broken.into_response())
}
