//! What one call can cost.

use crate::support::Authority;
use crate::support::api::{Api, channel, cut, health, start};
use sekisho_service::refusal;
use tonic::Code;
use tonic_health::ServingStatus;

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let authority = Authority::new();
    let server = start(&authority, Api::default());
    let administrator = channel(&authority, "administrator", &[&server]);
    assert_eq!(cut(&administrator, 60_000).await.unwrap(), 60_000);
    let refused = cut(&administrator, 70_000).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refusal::reason(&refused).as_deref(), Some("REQUEST_TOO_LARGE"));
}

#[tokio::test]
async fn a_handler_that_panics_answers_internal_and_the_connection_lives() {
    let authority = Authority::new();
    let server = start(&authority, Api::panicking());
    let administrator = channel(&authority, "administrator", &[&server]);
    assert_eq!(cut(&administrator, 1).await.unwrap_err().code(), Code::Internal);
    assert_eq!(health(&administrator).await.unwrap(), ServingStatus::Serving);
}
