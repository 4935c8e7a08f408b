//! Where spans go.

use super::Error;
use crate::settings::Source;
use crate::version;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::SdkTracerProvider;

/// Any of these asks for export.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];

pub(super) fn tracer_provider(service: &str, source: &Source) -> Result<SdkTracerProvider, Error> {
    let builder = SdkTracerProvider::builder().with_resource(resource(service, source));
    if !is_wanted(source) {
        return Ok(builder.build());
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().build()?;
    Ok(builder.with_batch_exporter(exporter).build())
}

fn is_wanted(source: &Source) -> bool {
    let disabled = source
        .get("OTEL_SDK_DISABLED")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let none = source.get("OTEL_TRACES_EXPORTER") == Some("none");
    !disabled && !none && ENDPOINTS.iter().any(|name| source.get(name).is_some())
}

/// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win over what the process knows of itself.
fn resource(service: &str, source: &Source) -> Resource {
    let name = source.get("OTEL_SERVICE_NAME").unwrap_or(service).to_owned();
    Resource::builder_empty()
        .with_attribute(KeyValue::new("service.version", version::VERSION))
        .with_service_name(name)
        .with_detector(Box::new(EnvResourceDetector::new()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)]) -> Source {
        variables.iter().copied().collect()
    }

    #[test]
    fn nothing_is_exported_unless_an_endpoint_is_named() {
        assert!(!is_wanted(&source(&[])));
        assert!(is_wanted(&source(&[(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://localhost:4317"
        )])));
        assert!(!is_wanted(&source(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317"),
            ("OTEL_SDK_DISABLED", "true"),
        ])));
    }
}
