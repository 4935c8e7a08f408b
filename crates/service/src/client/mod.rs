//! Clients of the other services.
//!
//! One [`Channel`] per service, cloned into each generated tonic client:
//!
//! ```no_run
//! # fn f(urls: &[http::Uri], tls: &sekisho_service::tls::TlsSettings) -> Result<(), sekisho_service::client::Error> {
//! let credentials = sekisho_service::client::connect(sekisho_service::roles::CREDENTIALS, urls, tls)?;
//! // let client = CredentialsServiceClient::new(credentials.clone());
//! # Ok(()) }
//! ```

mod lent;
mod replica;
mod timed;

use crate::tls::TlsSettings;
use crate::{deadline, refusal, telemetry};
use futures::future::BoxFuture;
use http::{Request, Response, Uri};
use lent::Kept;
use replica::{Failure, Replica};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

/// How long a caller waits unless its request says otherwise.
const DEADLINE: Duration = Duration::from_secs(2);

/// A connection to all replicas of one service. Cheap to clone; connects when first used and again when needed.
///
/// Each request goes to the next replica in turn. A replica that cannot be reached is passed over, as long as nothing
/// of the request has left this process, and one that leaves it to others; whatever another
/// server may have seen is never sent again. A request waits 2 s for its answer, or as long as
/// `tonic::Request::set_timeout` says.
#[derive(Clone)]
pub struct Channel {
    replicas: Arc<Replicas>,
}

struct Replicas {
    role: &'static str,
    all: Vec<Replica>,
    next: AtomicUsize,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The list of URLs is empty.
    #[error("no URL for the service {0}")]
    NoUrl(&'static str),
    /// A URL is not `https://host:port`.
    #[error("a URL for the service {0} is not https://host:port")]
    Url(&'static str),
    /// The certificates cannot be used.
    #[error("TLS cannot be set up")]
    Tls(#[from] tonic::transport::Error),
}

/// A channel to the service whose certificate names `role`, over one URL per replica.
///
/// # Errors
///
/// If there is no URL, one is not `https://`, or the certificates cannot be used.
pub fn connect(role: &'static str, urls: &[Uri], tls: &TlsSettings) -> Result<Channel, Error> {
    crate::crypto::install();
    if urls.is_empty() {
        return Err(Error::NoUrl(role));
    }
    let all: Result<_, _> = urls.iter().map(|url| Replica::new(role, url, tls)).collect();
    let replicas = Replicas {
        role,
        all: all?,
        next: AtomicUsize::new(0),
    };
    Ok(Channel {
        replicas: Arc::new(replicas),
    })
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Channel").field(&self.replicas.role).finish()
    }
}

impl tower::Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let span = span(&request);
        let replicas = Arc::clone(&self.replicas);
        let allowed = deadline::of(request.headers()).unwrap_or(DEADLINE);
        let call = async move {
            let outcome = replicas.call(request, allowed).await;
            record(&outcome);
            outcome
        };
        Box::pin(call.instrument(span))
    }
}

impl Replicas {
    async fn call(&self, mut request: Request<Body>, allowed: Duration) -> Result<Response<Body>, Status> {
        deadline::set(request.headers_mut(), allowed);
        telemetry::inject(&mut telemetry::Headers(request.headers_mut()));
        let end = Instant::now() + allowed;
        let mut second_best = None;
        let sent = tokio::time::timeout_at(end, self.send(request, &mut second_best)).await;
        let answer = sent.unwrap_or_else(|_| Err(timed::expired()));
        let response = answer.or_else(|status| second_best.ok_or(status))?;
        Ok(response.map(|body| Body::new(timed::Timed::new(body, end))))
    }

    /// Tries the replicas in turn until one has taken the request. An answer for which a replica cannot vouch is put aside.
    async fn send(
        &self,
        request: Request<Body>,
        second_best: &mut Option<Response<Body>>,
    ) -> Result<Response<Body>, Status> {
        let (parts, body) = request.into_parts();
        let kept = Kept::new(body).await?;
        // What a replica says of itself tells more than that another one cannot be reached.
        let mut refusal = None;
        for replica in self.in_turn() {
            let (loan, lent) = kept.lend();
            let attempt = Request::from_parts(parts.clone(), Body::new(lent));
            match replica.send(attempt, &loan).await {
                Ok(response) => return Ok(response),
                Err(Failure::SecondBest(response)) => *second_best = Some(response),
                Err(Failure::Elsewhere(status)) => refusal = Some(status),
                Err(Failure::Unsent(status)) if loan.take_back() => {
                    refusal.get_or_insert(status);
                }
                // Whoever gave an answer that is only second best has said that the call may be repeated.
                Err(Failure::Unsent(status) | Failure::Unknown(status)) if second_best.is_some() => {
                    refusal = Some(status);
                }
                Err(Failure::Unsent(status) | Failure::Unknown(status)) => return Err(status),
            }
        }
        Err(refusal.unwrap_or_else(|| Status::unavailable("no replica")))
    }

    /// All replicas, beginning with the next in turn, those that were lately unreachable last.
    fn in_turn(&self) -> Vec<&Replica> {
        let start = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len();
        let (before, after) = self.all.split_at(start);
        let now = Instant::now();
        let mut order: Vec<_> = after.iter().chain(before).collect();
        order.sort_by_key(|replica| replica.is_suspended(now));
        order
    }
}

/// Named and attributed by the semantic conventions for RPC.
fn span(request: &Request<Body>) -> Span {
    let method = request.uri().path().trim_start_matches('/');
    tracing::info_span!(
        "rpc.client.call",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        error.r#type = Empty,
        server.address = Empty,
        server.port = Empty,
    )
}

/// For a client every status but OK is an error.
fn record(outcome: &Result<Response<Body>, Status>) {
    let code = match outcome {
        Ok(response) => Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code()),
        Err(status) => status.code(),
    };
    let name = refusal::code_name(code);
    let span = Span::current();
    span.record("rpc.response.status_code", name);
    if code != Code::Ok {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", name);
    }
}
