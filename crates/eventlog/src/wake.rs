//! Messages of the bus: most only wake, and whoever wakes up reads the log; a few are told from replica to replica.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Subscriber};
use futures::StreamExt;
use tokio::time::timeout;

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

/// How long a message may take to the bus.
const TOLD: Duration = Duration::from_millis(500);

/// What other processes tell this one directly. Nobody vouches for it: the reader must.
#[derive(Debug)]
pub struct Messages {
    subscriber: Option<Subscriber>,
}

impl Messages {
    pub(crate) async fn of(client: Option<&Client>, subject: &'static str) -> Self {
        let subscriber = match client {
            Some(client) => client.subscribe(subject).await.ok(),
            None => None,
        };
        Self { subscriber }
    }

    /// The next message's body. Without NATS it never comes.
    pub async fn next(&mut self) -> Vec<u8> {
        if let Some(subscriber) = &mut self.subscriber
            && let Some(message) = subscriber.next().await
        {
            return message.payload.into();
        }
        std::future::pending().await
    }
}

/// Tells all who hear a subject; whether the bus has taken it.
pub(crate) async fn tell(client: Option<&Client>, subject: &'static str, body: Vec<u8>) -> bool {
    let Some(client) = client else { return false };
    // While it is away the client would keep the message for later.
    if client.connection_state() != State::Connected {
        return false;
    }
    let sent = async {
        client.publish(subject, body.into()).await.ok()?;
        client.flush().await.ok()
    };
    matches!(timeout(TOLD, sent).await, Ok(Some(())))
}
