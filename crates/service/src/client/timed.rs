//! An answer that must be complete before the deadline of its call.

use bytes::Bytes;
use http_body::Frame;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

pub(super) struct Timed {
    body: Body,
    end: Pin<Box<Sleep>>,
}

impl Timed {
    pub(super) fn new(body: Body, end: Instant) -> Self {
        Self {
            body,
            end: Box::pin(sleep_until(end)),
        }
    }
}

pub(super) fn expired() -> Status {
    Status::deadline_exceeded("the service did not answer in time")
}

impl http_body::Body for Timed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        self.end.as_mut().poll(context).map(|()| Some(Err(expired())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::{BodyExt as _, StreamBody};
    use tonic::Code;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_never_ends_is_cut_off_at_the_deadline() {
        let never = StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, Status>>());
        let end = Instant::now() + Duration::from_secs(2);
        let mut answer = Timed::new(Body::new(never), end);
        // Long after it, so that a missing deadline is a failure and no endless test.
        let outcome = tokio::time::timeout(Duration::from_mins(1), answer.frame()).await;
        let outcome = outcome.unwrap().unwrap();
        assert_eq!(outcome.unwrap_err().code(), Code::DeadlineExceeded);
        assert_eq!(Instant::now(), end);
    }
}
