//! A request body that can be offered to one replica after another, as long as none has begun to read it.

use bytes::Bytes;
use http_body::Frame;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
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
        self.body.lock().unwrap_or_else(PoisonError::into_inner).is_some()
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
            let taken = self.lender.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.taken = taken;
        }
        match &mut self.taken {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(Some(Err(Status::internal("a request body was read twice")))),
        }
    }
}
