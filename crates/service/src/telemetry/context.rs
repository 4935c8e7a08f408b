//! W3C trace context: read from and written to whatever carries text by name.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// HTTP headers (and gRPC metadata) as a carrier of trace context.
#[derive(Debug)]
pub struct Headers<'a>(pub &'a mut http::HeaderMap);

struct ReadHeaders<'a>(&'a http::HeaderMap);

struct One(Option<String>);

/// The trace context that a peer sent; empty if it sent none.
pub fn extract(headers: &http::HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &ReadHeaders(headers))
}

/// Writes the context of the current span, if there is one, so that the peer's span becomes its child.
pub fn inject(carrier: &mut dyn Injector) {
    TraceContextPropagator::new().inject_context(&Context::current(), carrier);
}

/// The `traceparent` of the current span; empty outside any span.
pub fn current_traceparent() -> String {
    let mut carrier = One(None);
    inject(&mut carrier);
    carrier.0.unwrap_or_default()
}

/// Makes a new span the child of one in another process, named by a stored `traceparent`. Call it before the span is
/// first entered.
pub fn continue_trace(span: &tracing::Span, traceparent: &str) {
    // Fails only if no tracer runs; then there is nothing to continue.
    let _ = span.set_parent(parse_traceparent(traceparent));
}

/// The context that a stored `traceparent` names; empty if it names none.
pub fn parse_traceparent(traceparent: &str) -> Context {
    let carrier = One(Some(traceparent.to_owned()));
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = http::HeaderName::from_bytes(key.as_bytes());
        let value = http::HeaderValue::from_str(&value);
        // An empty tracestate is legal but says nothing.
        if let (Ok(name), Ok(value)) = (name, value)
            && !value.is_empty()
        {
            self.0.insert(name, value);
        }
    }
}

impl Extractor for ReadHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

impl Injector for One {
    fn set(&mut self, key: &str, value: String) {
        if key == "traceparent" {
            self.0 = Some(value);
        }
    }
}

impl Extractor for One {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == "traceparent")
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TraceContextExt as _;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_context_survives_headers_and_text() {
        let _attached = parse_traceparent(PARENT).attach();
        assert_eq!(current_traceparent(), PARENT);
        let mut headers = http::HeaderMap::new();
        inject(&mut Headers(&mut headers));
        let read = extract(&headers);
        assert_eq!(
            read.span().span_context().trace_id().to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
    }

    #[test]
    fn outside_any_span_there_is_no_traceparent() {
        assert_eq!(current_traceparent(), "");
        assert!(!parse_traceparent("nonsense").span().span_context().is_valid());
    }
}
