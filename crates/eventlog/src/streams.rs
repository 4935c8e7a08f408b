//! A lock per stream within this process, so that only other processes cause conflicts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::ids::StreamId;

/// The streams on which this process decides right now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams {
    locks: Arc<Mutex<HashMap<StreamId, Arc<AsyncMutex<()>>>>>,
}

/// Held while one command is decided.
pub(crate) struct StreamGuard {
    streams: Streams,
    stream: StreamId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Streams {
    /// Waits until no other command of this process is decided on the stream.
    pub async fn lock(&self, stream: StreamId) -> StreamGuard {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(stream).or_default())
        };
        // Made before the wait, so that a caller who gives up while waiting is tidied away too.
        let mut held = StreamGuard {
            streams: self.clone(),
            stream,
            guard: None,
        };
        held.guard = Some(lock.lock_owned().await);
        held
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.guard = None;
        let mut locks = self.streams.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if locks
            .get(&self.stream)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            locks.remove(&self.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_stream_is_decided_by_one_and_forgotten_after() {
        let streams = Streams::default();
        let first = streams.lock(StreamId(Uuid::nil())).await;
        let waiting = tokio::spawn({
            let streams = streams.clone();
            async move { streams.lock(StreamId(Uuid::nil())).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        drop(waiting.await.unwrap());
        assert!(streams.locks.lock().unwrap().is_empty());
    }
}
