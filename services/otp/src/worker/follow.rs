//! Reads kind `code` from the log, in a task of its own: what wakes the worker must never interrupt a read.

use std::time::Duration;

use sekisho_eventlog::{Entry, Log, Position, ReadError};
use sekisho_proto::Kind;
use sekisho_service::chain;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::domain::CODE_LIFE;

/// Batches that wait to be folded.
const WAITING: usize = 4;
/// What was recorded longer ago cannot owe a mail any more: twice a code's life, so that no rounding matters.
const BACK: time::Duration = CODE_LIFE.saturating_mul(2);
/// Between two tries while the log cannot be read.
const PAUSE: Duration = Duration::from_millis(500);

/// Entries of the log, in order.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// Of kind `code`.
    pub entries: Vec<Entry>,
    /// Everything up to here was read.
    pub upto: Position,
    /// Nothing newer was known.
    pub at_head: bool,
}

/// Reads until the shutdown.
pub(super) fn start(log: Log, shutdown: CancellationToken) -> mpsc::Receiver<Folded> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(shutdown.run_until_cancelled_owned(read(log, sender)));
    receiver
}

/// Begins anew with a log that takes the place of another. What the list still holds of that one cannot be claimed, and
/// goes when its codes die.
async fn read(log: Log, sender: mpsc::Sender<Folded>) {
    while read_one_history(&log, &sender).await {}
}

/// Reads until another log takes this one's place; `false` if nobody listens any more.
async fn read_one_history(log: &Log, sender: &mpsc::Sender<Folded>) -> bool {
    let start = loop {
        match log.before(log.now() - BACK).await {
            Ok(start) => break start,
            Err(error) => tracing::warn!(error = chain(&error), "the log cannot be searched yet"),
        }
        sleep(PAUSE).await;
    };
    let mut follower = log.follow(&[Kind::Code], start);
    // A log that holds nothing newer is caught up with at once.
    let mut news = Folded {
        upto: start,
        at_head: start >= log.head(),
        ..Folded::default()
    };
    while sender.send(news).await.is_ok() {
        news = loop {
            match follower.next().await {
                Ok(batch) => {
                    break Folded {
                        entries: batch.entries,
                        upto: batch.upto,
                        at_head: batch.at_head,
                    };
                }
                Err(ReadError::Replaced) => return true,
                Err(error) => tracing::warn!(error = chain(&error), "the log cannot be followed"),
            }
            sleep(PAUSE).await;
        };
    }
    false
}
