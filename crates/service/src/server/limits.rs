//! Bounds on what a caller can cost: how many calls at once, how long, how large.

use crate::deadline;
use crate::refusal::refuse;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::Semaphore;
use tonic::{Code, Status};

/// Calls that one listener answers at the same time. More are refused at once: a queue would only add to their wait.
const CONCURRENT_CALLS: usize = 1024;

/// The longest that a call may take, whatever its caller allows.
const CALL: Duration = Duration::from_secs(5);

/// The largest request, in bytes. The longest field is a password.
const REQUEST: usize = 64 * 1024;

/// What one listener has left.
pub(super) struct Limits {
    calls: Semaphore,
}

/// A request body that fails once it is larger than allowed.
struct Limited {
    inner: Body,
    left: usize,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            calls: Semaphore::new(CONCURRENT_CALLS),
        }
    }
}

/// Applies the three bounds. Health passes the first one: a busy process must not look dead.
pub(super) async fn limit(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    let is_health = request.uri().path().starts_with("/grpc.health.v1.");
    let permit = limits.calls.try_acquire();
    if permit.is_err() && !is_health {
        return refuse(Code::ResourceExhausted, "SERVER_BUSY", "too many calls at once").into_http();
    }
    let allowed = deadline::of(request.headers()).map_or(CALL, |asked| asked.min(CALL));
    let request = request.map(|inner| Body::new(Limited { inner, left: REQUEST }));
    match tokio::time::timeout(allowed, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Status::deadline_exceeded("the call took too long").into_http(),
    }
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(context)?) else {
            return Poll::Ready(None);
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(left) = self.left.checked_sub(length) else {
            let refusal = refuse(
                Code::ResourceExhausted,
                "REQUEST_TOO_LARGE",
                "the request is too large",
            );
            return Poll::Ready(Some(Err(refusal.into())));
        };
        self.left = left;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
