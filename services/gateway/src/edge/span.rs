//! The span of a request, named after the route and never after what somebody typed into the address bar.

use axum::extract::{MatchedPath, Request};
use http::StatusCode;
use tracing::Span;
use tracing::field::Empty;

/// A span with the names of OpenTelemetry's HTTP conventions. Client address and browser are left out on purpose.
pub fn of(request: &Request) -> Span {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let method = method(request);
    tracing::info_span!(
        "gateway.request.answer",
        otel.name = format!("{method} {route}").trim_end(),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// Notes the status in the span of the request.
pub fn finish(status: StatusCode) {
    let span = Span::current();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// Methods are a closed set in telemetry; whatever else somebody sends is `_OTHER`.
fn method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        _ => "_OTHER",
    }
}
