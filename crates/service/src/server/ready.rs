//! No call is answered before the process is ready: the client takes it to another replica at once.

use super::STANDARD;
use crate::readiness::Readiness;
use crate::refusal;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

/// Refuses calls until every latch of the process is released; health and reflection answer from the beginning.
pub(super) async fn wait(State(readiness): State<Readiness>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_standard = STANDARD.iter().any(|method| method.path == path);
    if is_standard || readiness.is_ready() {
        next.run(request).await
    } else {
        refusal::not_ready().into_http()
    }
}
