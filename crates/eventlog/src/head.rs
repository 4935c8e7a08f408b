//! The head of the log, as this process knows it.

use tokio::sync::watch;

use crate::ids::{EventId, Position};

/// The newest entry that this process knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Its position; 0 while the log is empty.
    pub position: Position,
    /// Its event, once read from the log.
    pub event_id: Option<EventId>,
}

/// Shares the head between the poller, the writer and everybody who waits for a position.
#[derive(Debug, Clone)]
pub(crate) struct Heads {
    known: watch::Sender<Head>,
}

impl Heads {
    pub fn new(head: Head) -> Self {
        Self {
            known: watch::Sender::new(head),
        }
    }

    /// The newest known head.
    pub fn known(&self) -> Head {
        *self.known.borrow()
    }

    /// An append of this process reached `position`.
    pub fn saw(&self, position: Position) {
        self.advance(Head {
            position,
            event_id: None,
        });
    }

    /// The log itself was asked.
    pub fn advance(&self, head: Head) {
        self.known.send_if_modified(|known| {
            let newer = head.position > known.position
                || (head.position == known.position && known.event_id.is_none() && head.event_id.is_some());
            if newer {
                *known = head;
            }
            newer
        });
    }

    /// Wakes when the head moves.
    pub fn watch(&self) -> watch::Receiver<Head> {
        self.known.subscribe()
    }
}
