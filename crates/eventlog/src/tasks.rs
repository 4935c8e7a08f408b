//! What runs in the background of every handle on the log.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior};

use crate::clock::Clock;
use crate::head::Heads;
use crate::ids::Position;
use crate::read::{self, ReadError, until_answered};
use crate::wake::Wakeups;

/// How often the head is polled when no message says that it moved.
const POLL: Duration = Duration::from_millis(500);
/// How often the segments ahead are looked after. Two are always ready; at 20,000 entries a second one is full in a
/// quarter of an hour.
const SEGMENTS: Duration = Duration::from_mins(1);

/// Asks for the head and the time.
///
/// The time of a log that has gone back is not taken: what this process knows is not confirmed by it.
pub(crate) async fn confirm(pool: &PgPool, heads: &Heads, clock: &Clock) -> Result<Position, ReadError> {
    let known = heads.known().clone();
    let from = if known.went_back {
        until_answered(|| read::open_segment(pool)).await?
    } else {
        known.head.position
    };
    let asked = Instant::now();
    let (answer, now) = until_answered(|| read::head(pool, from, known.head)).await?;
    let newest = answer
        .newest
        .map_or(known.head.position, |newest| newest.position);
    if !heads.hear(&known, answer) {
        if !known.went_back {
            tracing::error!(
                position = known.head.position.0,
                "the log does not hold an entry that this process has seen: nothing is answered before `sekisho log restored`"
            );
        }
        return Err(ReadError::WentBack);
    }
    if known.went_back {
        tracing::warn!(
            position = newest.0,
            "a new epoch: this process begins anew with the log as it is"
        );
    }
    clock.set(now, asked);
    Ok(newest)
}

/// Polls the head every 500 ms, and at once when a message says that it moved.
pub(crate) struct Poller {
    pub pool: PgPool,
    pub heads: Heads,
    pub clock: Clock,
}

impl Poller {
    /// For ever.
    pub async fn run(self, mut wakeups: Wakeups) {
        // An interval and no sleep: messages must not put the next tick off.
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut listening = true;
        loop {
            let hint = tokio::select! {
                _ = ticks.tick() => None,
                hint = wakeups.next(), if listening => Some(hint),
            };
            if hint.is_some_and(|position| position <= self.heads.known().head.position) {
                continue;
            }
            match confirm(&self.pool, &self.heads, &self.clock).await {
                // Said once, when it was noticed.
                Ok(_) | Err(ReadError::WentBack) => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "head not confirmed");
                }
            }
            // Entries are published after their commit. Whoever speaks of one that is not there is forging, or
            // PostgreSQL is away: until the next tick nobody is listened to.
            listening = hint.is_none_or(|position| position <= self.heads.known().head.position);
        }
    }
}

/// Makes segments before they are needed, for ever.
pub(crate) async fn keep_segments_ahead(pool: PgPool) {
    loop {
        match until_answered(|| read::make_segments(&pool)).await {
            Ok(()) => {}
            // A role that only reads may not make segments, and need not.
            Err(ReadError::Unavailable(error)) if is_forbidden(&error) => std::future::pending().await,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "no segments made"),
        }
        tokio::time::sleep(SEGMENTS).await;
    }
}

fn is_forbidden(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "42501")
}
