//! Health, on the internal listener only.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use tokio_util::sync::CancellationToken;

/// `/health/live` says that the process runs; `/health/ready` that it takes requests, until the drain begins. The
/// services behind it do not count: the gateway alone can tell people in Japanese that they are away.
pub fn router(shutdown: CancellationToken) -> Router {
    Router::new()
        .route("/health/live", get(async || "live"))
        .route("/health/ready", get(ready))
        .with_state(shutdown)
}

async fn ready(State(shutdown): State<CancellationToken>) -> (StatusCode, &'static str) {
    if shutdown.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else {
        (StatusCode::OK, "ready")
    }
}
