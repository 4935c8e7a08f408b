//! What happens to every request and every answer, whatever the page: a span, the host check, the response headers,
//! and an error page where a handler refused.

mod answer;
mod client;
mod headers;
mod host;
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
use tracing::Instrument;

use crate::Gateway;
use crate::refusal::Refusal;

pub use answer::enquiry_number;
pub use client::{Client, Proxies};
pub use host::{Hosts, Site};
pub use refused::RefusedForms;

/// The outermost layer of the browsers' router.
pub async fn guard(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let span = span::of(&request);
    let site = gateway.hosts.site(&request);
    let sender = (request.method() == Method::POST)
        .then(|| client::address(&gateway.proxies, request.headers(), request.extensions()));
    async {
        let answer = match site.clone() {
            Some(site) => run(site, request, next).await,
            None => Refusal::WrongHost.into_response(),
        };
        if let Some(sender) = sender.flatten()
            && answer.extensions().get().is_some_and(Refusal::is_of_a_form)
        {
            gateway.refused_forms.note(sender);
        }
        let answer = answer::dress(answer, site.as_ref());
        span::finish(answer.status());
        headers::add(answer, site.as_ref())
    }
    .instrument(span)
    .await
}

/// A panic in a page is an answer too: the person sees an error page, and the others notice nothing.
async fn run(site: Site, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(site);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| Refusal::Broken.into_response())
}
