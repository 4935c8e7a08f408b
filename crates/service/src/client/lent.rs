//! A request that can be offered to one replica after another.

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;

/// The body of a request, kept whole. Requests of this system are one message of a few kilobytes.
pub(super) struct Kept(Bytes);

/// Tells of one offer whether its body was read.
pub(super) struct Loan(Arc<Mutex<Option<Bytes>>>);

/// The body of one offer.
pub(super) struct Lent {
    offered: Arc<Mutex<Option<Bytes>>>,
    was_read: bool,
}

impl Kept {
    pub(super) async fn new(body: Body) -> Result<Self, Status> {
        Ok(Self(body.collect().await?.to_bytes()))
    }

    pub(super) fn lend(&self) -> (Loan, Lent) {
        let offered = Arc::new(Mutex::new(Some(self.0.clone())));
        let lent = Lent {
            offered: Arc::clone(&offered),
            was_read: false,
        };
        (Loan(offered), lent)
    }
}

impl Loan {
    /// Whether nobody has begun to read: no server can have seen the message.
    pub(super) fn is_untouched(&self) -> bool {
        lock(&self.0).is_some()
    }

    /// Takes the offer back, unless somebody has begun to read it; answers whether it could. Whoever still holds the
    /// body cannot read it any more.
    pub(super) fn take_back(self) -> bool {
        lock(&self.0).take().is_some()
    }
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.was_read {
            return Poll::Ready(None);
        }
        self.was_read = true;
        let message = lock(&self.offered).take();
        let frame = message.map(Frame::data);
        Poll::Ready(Some(
            frame.ok_or_else(|| Status::internal("the request was taken back")),
        ))
    }
}

fn lock(offered: &Mutex<Option<Bytes>>) -> MutexGuard<'_, Option<Bytes>> {
    offered.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn kept() -> Kept {
        Kept::new(Body::new(http_body_util::Full::from("message")))
            .await
            .unwrap()
    }

    async fn read(lent: Lent) -> Option<Bytes> {
        Some(lent.collect().await.ok()?.to_bytes())
    }

    #[tokio::test]
    async fn every_borrower_reads_the_whole_message() {
        let kept = kept().await;
        for _ in 0..2 {
            let (_, lent) = kept.lend();
            assert_eq!(read(lent).await.unwrap(), "message");
        }
    }

    #[tokio::test]
    async fn what_was_taken_back_cannot_be_read() {
        let (loan, lent) = kept().await.lend();
        assert!(loan.is_untouched() && loan.take_back());
        assert_eq!(read(lent).await, None);
    }

    #[tokio::test]
    async fn what_was_read_cannot_be_taken_back() {
        let (loan, lent) = kept().await.lend();
        read(lent).await.unwrap();
        assert!(!loan.is_untouched() && !loan.take_back());
    }
}
