//! Logs, traces and the context that joins them.
//!
//! Logs are JSON lines on standard output with the trace's ids. Traces leave by OTLP (gRPC) when
//! `OTEL_EXPORTER_OTLP_ENDPOINT` is set; without it they still have ids, so that a log line, a message and an entry of
//! the log can be joined. All `OTEL_*` variables keep the meaning that OpenTelemetry gives them.

mod context;
mod export;
mod json;

pub use context::{Headers, continue_trace, current_traceparent, extract, inject, parse_traceparent};

use crate::settings::{Reader, Settings, Source, Value};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long the end of a process waits for its last spans to leave.
const FLUSH: Duration = Duration::from_secs(3);

/// Running telemetry. Flush it before the process ends.
#[derive(Debug)]
pub(crate) struct Telemetry {
    tracer: SdkTracerProvider,
}

/// Which log lines are written.
#[derive(Clone, Debug)]
pub(crate) struct LogFilter(Targets);

/// Telemetry that cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The exporter's settings make no sense.
    #[error("traces cannot be exported")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Something else has already set the process's subscriber.
    #[error("telemetry runs already")]
    Running(#[from] tracing_subscriber::util::TryInitError),
}

impl Telemetry {
    /// Starts logs and traces for the whole process. `service` is its name (`sekisho-otp`), `log` a filter as in
    /// `info,sekisho_otp=debug`. Needs a runtime when traces are exported.
    ///
    /// # Errors
    ///
    /// If the exporter cannot be made or telemetry runs already.
    pub(crate) fn start(service: &str, log: &LogFilter, source: &Source) -> Result<Self, Error> {
        let tracer = export::tracer_provider(service, source)?;
        // A line names its trace and nothing else of its span, so spans need not be made ready to be printed.
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself is for metadata of one lifetime"
        )]
        let events = filter_fn(|metadata| metadata.is_event());
        let lines = tracing_subscriber::fmt::layer()
            .event_format(json::Lines {
                service: service.to_owned(),
            })
            .with_filter(log.0.clone().and(events));
        let spans = tracing_opentelemetry::layer()
            .with_tracer(tracer.tracer("sekisho"))
            .with_location(false)
            .with_threads(false)
            .with_filter(own_spans());
        tracing_subscriber::registry()
            .with(spans)
            .with(lines)
            .try_init()?;
        Ok(Self { tracer })
    }

    /// Sends what is still queued. Blocks; call it outside the runtime's workers while the runtime still runs.
    pub(crate) fn flush(self) {
        if let Err(error) = self.tracer.shutdown_with_timeout(FLUSH) {
            tracing::warn!(error = crate::chain(&error), "the last spans were not exported");
        }
    }
}

/// Spans of our own crates, down to INFO, whatever the log filter says: without spans there is no context to hand on.
/// The exporter's own libraries stay out, or each export would make spans to export.
fn own_spans() -> Targets {
    Targets::new().with_target("sekisho", LevelFilter::INFO)
}

impl Settings for LogFilter {
    fn read(reader: &mut Reader) -> Option<Self> {
        reader.or(
            "LOG",
            "info",
            "which log lines are written, as in `info,sekisho_otp=debug`",
        )
    }
}

impl Value for LogFilter {
    const KIND: &'static str = "log filter";

    fn parse(text: &str) -> Result<Self, String> {
        let filter: Targets = text
            .parse()
            .map_err(|_| "is not a log filter, such as `info,sekisho_otp=debug`".to_owned())?;
        let rest = filter.default_level().unwrap_or(LevelFilter::INFO);
        Ok(Self(filter.with_default(rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_filter_does_not_name_is_written_from_info_up() {
        let rest = |text| LogFilter::parse(text).unwrap().0.default_level();
        assert_eq!(rest("sekisho_otp=debug"), Some(LevelFilter::INFO));
        assert_eq!(rest("warn,sekisho_otp=debug"), Some(LevelFilter::WARN));
    }

    #[test]
    fn a_log_filter_with_a_level_that_nobody_knows_is_refused() {
        assert!(LogFilter::parse("sekisho_otp=verbose").is_err());
    }
}
