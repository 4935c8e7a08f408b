//! One replica of a service.

use super::Error;
use super::lent::Loan;
use crate::tls::TlsSettings;
use crate::{refusal, second_best};
use http::{Request, Response, Uri};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::ServiceExt as _;
use tracing::Span;

/// How long connecting may take, TLS included; with the deadline of 2 s, a second replica gets a turn.
const CONNECT: Duration = Duration::from_secs(1);

/// How often an open connection is asked whether its peer still lives, and how long the answer may take.
const KEEPALIVE: Duration = Duration::from_secs(10);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(2);

/// How long a replica that could not be reached is tried last.
const SUSPENSION: Duration = Duration::from_secs(1);

pub(super) struct Replica {
    host: String,
    port: u16,
    channel: tonic::transport::Channel,
    suspended_until: Mutex<Option<Instant>>,
}

/// Why a replica has not answered.
pub(super) enum Failure {
    /// Nothing of the request has left this process: another replica may have it.
    Unsent(Status),
    /// The replica leaves it to another.
    Elsewhere(Status),
    /// The replica cannot vouch for this answer.
    SecondBest(Response<Body>),
    /// The replica may have seen it.
    Unknown(Status),
}

impl Replica {
    pub(super) fn new(role: &'static str, url: &Uri, tls: &TlsSettings) -> Result<Self, Error> {
        let host = url.host().filter(|_| url.scheme_str() == Some("https"));
        let host = host.ok_or(Error::Url(role))?.to_owned();
        let port = url.port_u16().unwrap_or(443);
        let channel = Endpoint::from(url.clone())
            .tls_config(tls.client(role))?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_ANSWER)
            .keep_alive_while_idle(true)
            .connect_lazy();
        Ok(Self {
            host,
            port,
            channel,
            suspended_until: Mutex::new(None),
        })
    }

    pub(super) fn is_suspended(&self, now: Instant) -> bool {
        self.lock().is_some_and(|until| now < until)
    }

    /// Offers a request. One that waits here longer than connecting may take has not been taken, and is given back.
    pub(super) async fn send(&self, request: Request<Body>, body: &Loan) -> Result<Response<Body>, Failure> {
        let span = Span::current();
        span.record("server.address", self.host.as_str());
        span.record("server.port", self.port);
        let mut sent = std::pin::pin!(self.channel.clone().oneshot(request));
        let answer = match timeout(CONNECT, &mut sent).await {
            Ok(answer) => answer,
            Err(_) if body.is_untouched() => return Err(self.unreachable("no connection in time")),
            Err(_) => sent.await,
        };
        match answer {
            Ok(response) => match Status::from_header_map(response.headers()) {
                Some(status) if refusal::is_for_another(&status) => Err(Failure::Elsewhere(status)),
                _ => {
                    *self.lock() = None;
                    if second_best::is_marked(response.headers()) {
                        return Err(Failure::SecondBest(response));
                    }
                    Ok(response)
                }
            },
            Err(error) if body.is_untouched() => Err(self.unreachable(&crate::chain(&error))),
            Err(error) => Err(self.lost(&crate::chain(&error))),
        }
    }

    fn unreachable(&self, error: &str) -> Failure {
        tracing::info!(host = self.host, port = self.port, error, "replica unreachable");
        *self.lock() = Some(Instant::now() + SUSPENSION);
        Failure::Unsent(Status::unavailable("the service cannot be reached"))
    }

    fn lost(&self, error: &str) -> Failure {
        tracing::info!(host = self.host, port = self.port, error, "answer lost");
        Failure::Unknown(Status::unavailable("the answer was lost"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.suspended_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
