//! One trace over two processes, in their spans and in their log lines.

use crate::support::sample::{Sample, Settings};
use crate::support::{Authority, url};
use opentelemetry::context::FutureExt as _;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use rustix::process::Signal;
use sekisho_proto::sessions::v1::CutSessionsRequest;
use sekisho_proto::sessions::v1::administration_service_client::AdministrationServiceClient;
use sekisho_service::{client, telemetry};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const METHOD: &str = "signin.sessions.v1.AdministrationService/CutSessions";

/// Keeps the spans that it is sent, each with the name of its service.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<(String, Span)>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut spans = self.spans.lock().unwrap();
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap().attributes;
            let service = text(&attributes, "service.name").unwrap();
            let sent = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(sent.map(|span| (service.clone(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn text(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

async fn start_collector() -> (Collector, SocketAddr) {
    let collector = Collector::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = TraceServiceServer::new(collector.clone());
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (collector, address)
}

fn start(
    authority: &Authority,
    collector: SocketAddr,
    name: &str,
    upstream: Option<SocketAddr>,
) -> (Sample, SocketAddr) {
    let mut settings = Settings::working(authority, "sessions")
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{collector}"))
        .variable("OTEL_SERVICE_NAME", name);
    if let Some(upstream) = upstream {
        settings = settings.set("UPSTREAM_URL", &url(upstream).to_string());
    }
    let mut sample = settings.start();
    let address = sample.address();
    (sample, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_traceparent_travels_through_two_processes_into_spans_and_log_lines() {
    let authority = Authority::new();
    authority.certify("sessions");
    let (collector, address) = start_collector().await;
    let (mut second, behind) = start(&authority, address, "second", None);
    let (mut first, front) = start(&authority, address, "first", Some(behind));

    let tls = authority.certify("administrator");
    let channel = client::connect("sessions", &[url(front)], &tls).unwrap();
    let mut client = AdministrationServiceClient::new(channel);
    let context = telemetry::parse_traceparent(&format!("00-{TRACE}-{PARENT}-01"));
    let request = CutSessionsRequest {
        account_id: vec![1, 2],
    };
    let answer = client.cut_sessions(request).with_context(context).await.unwrap();
    assert_eq!(answer.into_inner().position, 2);

    for sample in [&mut first, &mut second] {
        assert_eq!(sample.line("asked")["trace_id"], TRACE);
        sample.signal(Signal::TERM);
        assert_eq!(sample.ended().code(), Some(0));
    }
    let spans = collector.spans.lock().unwrap().clone();
    let find = |service: &str, kind: i32| {
        let is_it = |(of, span): &&(String, Span)| of == service && span.kind == kind;
        spans
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("{service} {kind} in {spans:?}"))
            .1
            .clone()
    };
    let chain = [find("first", 2), find("first", 3), find("second", 2)];
    let mut parent = PARENT.to_owned();
    for span in chain {
        assert_eq!(
            (hex(&span.trace_id), hex(&span.parent_span_id)),
            (TRACE.to_owned(), parent)
        );
        assert_eq!(
            (
                span.name.as_str(),
                text(&span.attributes, "rpc.method").as_deref()
            ),
            (METHOD, Some(METHOD))
        );
        assert_eq!(
            text(&span.attributes, "rpc.response.status_code").as_deref(),
            Some("OK")
        );
        parent = hex(&span.span_id);
    }
}
