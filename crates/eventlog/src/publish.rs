//! Every committed event goes out on core NATS, best effort: what is lost costs a poll, nothing else.

use async_nats::connection::State;
use async_nats::{Client, HeaderMap, HeaderValue, Subject};
use sekisho_service::telemetry;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;

use crate::alarm::Alarm;
use crate::append::Receipt;
use crate::draft::Draft;

/// Messages that wait for NATS; more are dropped.
const QUEUE: usize = 4096;

/// Publishes entries after their commit. Never waits, never fails.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    queue: Option<mpsc::Sender<Message>>,
    source: String,
}

struct Message {
    subject: Subject,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Publisher {
    /// A publisher for a service, such as `otp/0.1.0`. Without a client it publishes nothing.
    pub fn start(client: Option<Client>, service: &str, alarm: &Alarm) -> Self {
        let queue = client.map(|client| {
            let (queue, messages) = mpsc::channel(QUEUE);
            tokio::spawn(alarm.watch(publish_all(client, messages)));
            queue
        });
        Self {
            queue,
            source: format!("/sekisho/{service}"),
        }
    }

    /// Publishes one entry that stands in the log.
    pub fn publish(&self, draft: &Draft, receipt: Receipt) {
        let Some(queue) = &self.queue else { return };
        // Also the `type` of the CloudEvent.
        let subject = format!("signin.{}.{}", draft.kind, draft.event_type);
        let span = tracing::info_span!(
            "bus.message.publish",
            otel.kind = "producer",
            messaging.system = "nats",
            messaging.destination.name = subject,
        );
        telemetry::continue_trace(&span, &draft.metadata.traceparent);
        let _entered = span.entered();
        if queue.try_send(self.message(subject, draft, receipt)).is_err() {
            tracing::debug!(position = receipt.position.0, "NATS lags behind, message dropped");
        }
    }

    fn message(&self, subject: String, draft: &Draft, receipt: Receipt) -> Message {
        let mut headers = HeaderMap::new();
        headers.insert("ce-specversion", "1.0");
        headers.insert("ce-id", draft.event_id.to_string());
        headers.insert("ce-source", self.source.as_str());
        headers.insert("ce-type", subject.as_str());
        headers.insert(
            "ce-time",
            receipt.recorded_at.format(&Rfc3339).unwrap_or_default(),
        );
        headers.insert("ce-position", receipt.position.to_string());
        headers.insert("ce-streamid", draft.stream.to_string());
        headers.insert("content-type", "application/protobuf");
        // From outside; the client panics on a value with a line break.
        if let Some(trace) = header(&draft.metadata.traceparent) {
            headers.insert("traceparent", trace);
        }
        Message {
            subject: subject.into(),
            headers,
            body: draft.payload.event.clone(),
        }
    }
}

fn header(value: &str) -> Option<HeaderValue> {
    value.parse().ok().filter(|_| !value.is_empty())
}

async fn publish_all(client: Client, mut messages: mpsc::Receiver<Message>) {
    while let Some(message) = messages.recv().await {
        // While NATS is away the client would keep messages for later; an old hint is worth nothing.
        if client.connection_state() != State::Connected {
            continue;
        }
        if let Err(error) = client
            .publish_with_headers(message.subject, message.headers, message.body.into())
            .await
        {
            tracing::debug!(%error, "not published");
        }
    }
}
