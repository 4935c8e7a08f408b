//! What is seen of a call: a span that continues the caller's trace, one line if it failed.

use crate::{refusal, telemetry};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use std::panic::AssertUnwindSafe;
use tonic::{Code, Status};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Runs a call inside its span. A handler that panics answers INTERNAL; the process and the other calls of the
/// connection go on.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let span = span(&request);
    let run = async {
        let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response = response.unwrap_or_else(|_| panicked());
        record(&response);
        response
    };
    run.instrument(span).await
}

/// Named and attributed by the semantic conventions for RPC.
fn span(request: &Request) -> Span {
    let method = request.uri().path().trim_start_matches('/');
    let span = tracing::info_span!(
        "rpc.server.call",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        error.r#type = Empty,
        sekisho.peer = Empty,
    );
    // Fails only if no tracer runs; then there is nothing to continue.
    let _ = span.set_parent(telemetry::extract(request.headers()));
    span
}

/// The hook for panics has written the line, with the place.
fn panicked() -> Response {
    refusal::refuse(Code::Internal, "INTERNAL", "an internal error").into_http()
}

/// A refusal is an answer; only what we did wrong ourselves makes a server's span an error.
fn record(response: &Response) {
    // The status of a successful call comes after the message, in the trailers.
    let status = Status::from_header_map(response.headers());
    let code = status.as_ref().map_or(Code::Ok, Status::code);
    let name = refusal::code_name(code);
    let span = Span::current();
    span.record("rpc.response.status_code", name);
    // A replica that leaves a call to another one has done as it should.
    if !is_fault(code) || status.as_ref().is_some_and(refusal::is_for_another) {
        return;
    }
    span.record("otel.status_code", "ERROR");
    span.record("error.type", name);
    // What has a reason has had its line where it arose.
    if let Some(status) = status.filter(|status| refusal::reason(status).is_none()) {
        tracing::error!(status = name, error = status.message(), "a call failed");
    }
}

fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
