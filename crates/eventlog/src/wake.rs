//! Messages that only wake: whoever wakes up reads the log.

use async_nats::{Client, Subscriber};
use futures::StreamExt;

use crate::ids::Position;

/// Messages of a NATS subscription, taken as hints that a position exists.
#[derive(Debug)]
pub struct Wakeups {
    subscribers: futures::stream::SelectAll<Subscriber>,
}

impl Wakeups {
    /// Every message of some subjects.
    pub(crate) async fn all(client: Option<&Client>, subjects: &[String]) -> Self {
        let mut subscribers = futures::stream::SelectAll::new();
        for subject in subjects {
            let Some(client) = client else { break };
            match client.subscribe(subject.clone()).await {
                Ok(subscriber) => subscribers.push(subscriber),
                Err(error) => tracing::warn!(%error, subject, "not subscribed, polling instead"),
            }
        }
        Self { subscribers }
    }

    /// The messages of a subject, each to one member of the group.
    pub(crate) async fn shared(client: Option<&Client>, subject: &str, group: &str) -> Self {
        let mut subscribers = futures::stream::SelectAll::new();
        if let Some(client) = client {
            match client.queue_subscribe(subject.to_owned(), group.to_owned()).await {
                Ok(subscriber) => subscribers.push(subscriber),
                Err(error) => tracing::warn!(%error, subject, "not subscribed, polling instead"),
            }
        }
        Self { subscribers }
    }

    /// The position that the next message speaks of. Without NATS it never comes.
    pub async fn next(&mut self) -> Position {
        while let Some(message) = self.subscribers.next().await {
            let position = message
                .headers
                .as_ref()
                .and_then(|headers| headers.get("ce-position"));
            if let Some(position) = position.and_then(|value| value.as_str().parse().ok()) {
                return Position(position);
            }
        }
        std::future::pending().await
    }
}
