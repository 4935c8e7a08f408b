//! A request body that can be offered to one replica after another, as long as none has begun to read it.

use bytes::Bytes;
use http_body::Frame;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;

/// Keeps the body until somebody reads it.
pub(super) struct Lender {
    body: Arc<Mutex<Option<Body>>>,
}

/// Takes the body out of its lender when it is first read.
pub(super) struct Lent {
    lender: Arc<Mutex<Option<Body>>>,
    taken: Option<Body>,
}

impl Lender {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body: Arc::new(Mutex::new(Some(body))),
        }
    }

    pub(super) fn lend(&self) -> Lent {
        Lent {
            lender: Arc::clone(&self.body),
            taken: None,
        }
    }

    /// Whether nobody has begun to read: no server can have seen the message.
    pub(super) fn is_untouched(&self) -> bool {
        lock(&self.body).is_some()
    }

    /// Takes the body back, unless somebody has begun to read it. Whoever still holds it on loan cannot read it any more.
    pub(super) fn reclaim(self) -> Option<Self> {
        let body = lock(&self.body).take()?;
        Some(Self::new(body))
    }
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.taken.is_none() {
            let taken = lock(&self.lender).take();
            self.taken = taken;
        }
        match &mut self.taken {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(Some(Err(Status::internal("the request was taken back")))),
        }
    }
}

fn lock(body: &Mutex<Option<Body>>) -> MutexGuard<'_, Option<Body>> {
    body.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::poll_fn;
    use http_body::Body as _;

    async fn is_readable(mut lent: Lent) -> bool {
        poll_fn(|context| Pin::new(&mut lent).poll_frame(context))
            .await
            .is_none_or(|frame| frame.is_ok())
    }

    #[tokio::test]
    async fn a_body_that_was_taken_back_cannot_be_read_by_the_first_borrower() {
        let lender = Lender::new(Body::empty());
        let first = lender.lend();
        let lender = lender.reclaim().unwrap();
        assert!(!is_readable(first).await);
        assert!(is_readable(lender.lend()).await);
    }

    #[tokio::test]
    async fn a_body_that_was_read_cannot_be_taken_back() {
        let lender = Lender::new(Body::empty());
        assert!(is_readable(lender.lend()).await);
        assert!(!lender.is_untouched() && lender.reclaim().is_none());
    }
}
