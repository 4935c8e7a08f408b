//! Reads from the log what owes mails, in a task of its own: what wakes the worker must never interrupt a read.

use std::time::Duration;

use sekisho_eventlog::{Entry, Log, Position, ReadError};
use sekisho_evidence::NOTICE_LIFE;
use sekisho_proto::Kind;
use sekisho_service::chain;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::CODE_LIFE;

/// Batches that wait to be folded.
const WAITING: usize = 4;
/// What was recorded longer ago cannot owe the mail of a code any more: twice a code's life, so that no rounding matters.
const CODES_BACK: time::Duration = CODE_LIFE.saturating_mul(2);
/// Nor that of a notice.
const NOTICES_BACK: time::Duration = NOTICE_LIFE.saturating_add(time::Duration::HOUR);
/// Entries that one look back reads at a time.
const PAGE: u32 = 1_000;
/// Kinds that owe mails, or say what came of them.
const KINDS: [Kind; 3] = [Kind::Account, Kind::Code, Kind::Session];
/// Between two tries while the log cannot be read.
const PAUSE: Duration = Duration::from_millis(500);

/// Entries of the log, in order.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// Of all kinds that owe mails.
    pub entries: Vec<Entry>,
    /// Everything up to here was read.
    pub upto: Position,
    /// Nothing newer was known.
    pub at_head: bool,
    /// Whatever was folded before is of another log.
    pub begins_anew: bool,
}

/// Reads until the shutdown.
pub(super) fn start(log: Log, shutdown: CancellationToken) -> mpsc::Receiver<Folded> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(shutdown.run_until_cancelled_owned(read(log, sender)));
    receiver
}

/// Begins anew with a log that takes the place of another.
async fn read(log: Log, sender: mpsc::Sender<Folded>) {
    while read_one_history(&log, &sender).await {}
}

/// Reads until another log takes this one's place; `false` if nobody listens any more.
///
/// Codes come first, because people wait for them: what owes a notice is looked for beside that, a day back. In whichever order
/// they are folded, the log decides on each claim.
async fn read_one_history(log: &Log, sender: &mpsc::Sender<Folded>) -> bool {
    let start = before(log, CODES_BACK).await;
    let looking_back = AbortOnDropHandle::new(tokio::spawn(look_back(log.clone(), sender.clone(), start)));
    let mut follower = log.follow(&KINDS, start);
    // A log that holds nothing newer is caught up with at once.
    let mut news = Folded {
        upto: start,
        at_head: start >= log.head(),
        begins_anew: true,
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
                        begins_anew: false,
                    };
                }
                Err(ReadError::Replaced) => return true,
                Err(error) => tracing::warn!(error = chain(&error), "the log cannot be followed"),
            }
            sleep(PAUSE).await;
        };
    }
    drop(looking_back);
    false
}

/// Reads what owes notices, from a day ago up to where the follower began.
async fn look_back(log: Log, sender: mpsc::Sender<Folded>, upto: Position) {
    let mut after = before(&log, NOTICES_BACK).await;
    while after < upto {
        match log.read(after, upto, &KINDS, PAGE).await {
            Ok(page) => {
                after = page.upto;
                let news = Folded {
                    entries: page.entries,
                    ..Folded::default()
                };
                if sender.send(news).await.is_err() {
                    return;
                }
            }
            Err(ReadError::Replaced | ReadError::WentBack) => return,
            Err(error) => {
                tracing::warn!(error = chain(&error), "what owes notices cannot be read");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Where the log stood so long ago.
async fn before(log: &Log, time: time::Duration) -> Position {
    loop {
        match log.before(log.now() - time).await {
            Ok(start) => return start,
            Err(error) => tracing::warn!(error = chain(&error), "the log cannot be searched yet"),
        }
        sleep(PAUSE).await;
    }
}
