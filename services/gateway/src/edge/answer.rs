//! Turns a bare refusal into a page.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use sekisho_service::enquiry::Enquiry;

use super::Site;
use crate::pages::error;
use crate::refusal::Refusal;

/// Gives every refusal its page, and the log its line. Answers that are no refusal pass. (`Allow` is the router's: it
/// adds that header outside of this layer.)
///
/// `enquiry` is the number of the flow in which it happened, if there is one.
pub fn dress(answer: Response, site: &Site, enquiry: impl FnOnce() -> Option<Enquiry>) -> Response {
    let status = answer.status();
    if !status.is_client_error() && !status.is_server_error() {
        return answer;
    }
    let refusal = answer
        .extensions()
        .get()
        .cloned()
        .unwrap_or_else(|| Refusal::of(status));
    let enquiry = enquiry().unwrap_or_else(Enquiry::random).to_string();
    refusal.log(&enquiry);
    let mut page = (status, error::page(&refusal, &enquiry, site)).into_response();
    if let Some(seconds) = refusal.retry_after() {
        page.headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    page
}
