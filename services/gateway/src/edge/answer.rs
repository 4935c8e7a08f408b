//! Turns a bare refusal into a page.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use super::Site;
use crate::pages::error;
use crate::refusal::Refusal;
use sekisho_service::entropy;

/// A number by which somebody on the phone and a line of the log find each other: 12 digits, random.
pub fn enquiry_number() -> String {
    let number = u64::from_le_bytes(entropy::bytes()) % 1_000_000_000_000;
    let digits = format!("{number:012}");
    format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..])
}

/// Gives every refusal its page, and the log its line. Answers that are no refusal pass. (`Allow` is the router's: it
/// adds that header outside of this layer.)
pub fn dress(answer: Response, site: Option<&Site>) -> Response {
    let status = answer.status();
    if !status.is_client_error() && !status.is_server_error() {
        return answer;
    }
    let refusal = answer
        .extensions()
        .get()
        .cloned()
        .unwrap_or_else(|| Refusal::of(status));
    let enquiry = enquiry_number();
    refusal.log(&enquiry);
    let mut page = (status, error::page(&refusal, &enquiry, site)).into_response();
    if let Some(seconds) = refusal.retry_after() {
        page.headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enquiry_number_is_easy_to_read_out() {
        let number = enquiry_number();
        assert_eq!(number.len(), 14);
        assert!(
            number
                .split('-')
                .all(|group| group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_digit()))
        );
    }
}
