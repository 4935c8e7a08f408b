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
pub(super) const CONCURRENT_CALLS: u32 = 1024;

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
    pub(super) fn new(calls: u32) -> Self {
        Self {
            calls: Semaphore::new(calls as usize),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal;
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use tower::ServiceExt as _;

    /// A handler that never answers, behind a limit of so many calls.
    fn stuck(calls: u32) -> Router {
        let never = async || std::future::pending::<()>().await;
        let limits = Arc::new(Limits::new(calls));
        Router::new()
            .fallback(never)
            .layer(from_fn_with_state(limits, limit))
    }

    fn request(path: &str) -> Request {
        http::Request::builder().uri(path).body(Body::empty()).unwrap()
    }

    async fn status(router: &Router, request: Request) -> Status {
        let response = router.clone().oneshot(request).await.unwrap();
        Status::from_header_map(response.headers()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_too_many_is_refused_at_once_but_health_is_not() {
        let router = stuck(1);
        let first = tokio::spawn(router.clone().oneshot(request("/a.A/B")));
        tokio::task::yield_now().await;
        let refused = status(&router, request("/a.A/B")).await;
        assert_eq!(refusal::reason(&refused).as_deref(), Some("SERVER_BUSY"));
        assert!(!first.is_finished());
        let health = status(&router, request("/grpc.health.v1.Health/Check")).await;
        assert_eq!(
            health.code(),
            Code::DeadlineExceeded,
            "let through to the handler that never answers"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_after_five_seconds_at_most_or_when_its_caller_has_given_up() {
        let router = stuck(1);
        let start = tokio::time::Instant::now();
        assert_eq!(
            status(&router, request("/a.A/B")).await.code(),
            Code::DeadlineExceeded
        );
        assert_eq!(start.elapsed().as_secs(), 5);
        let mut hasty = request("/a.A/B");
        deadline::set(hasty.headers_mut(), Duration::from_secs(1));
        assert_eq!(status(&router, hasty).await.code(), Code::DeadlineExceeded);
        assert_eq!(start.elapsed().as_secs(), 6);
        let mut patient = request("/a.A/B");
        deadline::set(patient.headers_mut(), Duration::from_mins(1));
        assert_eq!(status(&router, patient).await.code(), Code::DeadlineExceeded);
        assert_eq!(start.elapsed().as_secs(), 11);
    }
}
