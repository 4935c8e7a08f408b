//! Group commit: the next batch is everything that waits when the last has committed. No timer.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use crate::alarm::Alarm;
use crate::answer::{one_outcome, outcomes};
use crate::append::{AppendError, Outcome};
use crate::draft::{Draft, Via};
use crate::head::Heads;
use crate::line::Line;
use crate::publish::Publisher;
use crate::statement;

/// Entries in one statement, at most; `log.append` refuses more.
const BATCH: usize = 500;
/// Entries of this process that wait; one more is answered with [`AppendError::Busy`].
const QUEUE: usize = 4096;
/// How long a caller waits for its outcome.
const PATIENCE: Duration = Duration::from_secs(2);

/// A draft whose caller waits.
struct Waiting {
    draft: Draft,
    answer: oneshot::Sender<Result<Outcome, AppendError>>,
}

/// Hands drafts to the task that owns the writing connection.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Waiting>,
    alone: Arc<Mutex<Line>>,
    heads: Heads,
    publisher: Publisher,
}

impl Writer {
    /// Starts the writing task; it ends when the last `Writer` is gone.
    pub fn start(options: &PgConnectOptions, heads: Heads, publisher: Publisher, alarm: &Alarm) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let line = Line::new(options);
        tokio::spawn(alarm.watch(commit_groups(waiting, line, heads.clone(), publisher.clone())));
        Self {
            queue,
            alone: Arc::new(Mutex::new(Line::new(options))),
            heads,
            publisher,
        }
    }

    /// Appends a draft and waits for its outcome, 2 s at most.
    pub async fn append(&self, draft: Draft, via: &Via) -> Result<Outcome, AppendError> {
        draft.check()?;
        let outcome = match via {
            Via::Append => timeout(PATIENCE, self.append_with_others(draft)).await,
            Via::Function { name, arguments } => {
                let sql = statement::combined(name, &draft, &self.heads.known(), arguments);
                timeout(PATIENCE, self.append_alone(&sql, &draft)).await
            }
        };
        outcome.unwrap_or(Err(AppendError::Unavailable))
    }

    /// Takes the log's lock and lets it go, 2 s at most.
    pub async fn probe(&self) -> Result<(), AppendError> {
        let nothing = statement::append(&[], &self.heads.known());
        let answer = async {
            self.alone
                .lock()
                .await
                .submit_until_known(&nothing, || false)
                .await
        };
        match timeout(PATIENCE, answer).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(failure)) => failure.outcome().map(drop),
            Err(_) => Err(AppendError::Unavailable),
        }
    }

    async fn append_with_others(&self, draft: Draft) -> Result<Outcome, AppendError> {
        let (answer, outcome) = oneshot::channel();
        self.queue
            .try_send(Waiting { draft, answer })
            .map_err(|error| match error {
                TrySendError::Full(_) => AppendError::Busy,
                TrySendError::Closed(_) => AppendError::Unavailable,
            })?;
        outcome.await.unwrap_or(Err(AppendError::Unavailable))
    }

    /// Combined functions share one connection, one at a time: the log's lock would order them anyway. After an unknown
    /// outcome the call is submitted again like a batch.
    async fn append_alone(&self, sql: &Arc<str>, draft: &Draft) -> Result<Outcome, AppendError> {
        let answer = self.alone.lock().await.submit_until_known(sql, || false).await;
        let outcome = match answer {
            Ok(row) => one_outcome(&row),
            Err(failure) => failure.outcome(),
        }?;
        if let Outcome::Recorded(receipt) = outcome {
            self.heads.saw(receipt.position, draft.event_id);
            self.publisher.publish(draft, receipt);
        }
        Ok(outcome)
    }
}

async fn commit_groups(
    mut waiting: mpsc::Receiver<Waiting>,
    mut line: Line,
    heads: Heads,
    publisher: Publisher,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        // Whose caller has given up is dropped unsent.
        batch.retain(|entry| !entry.answer.is_closed());
        if batch.is_empty() {
            continue;
        }
        let drafts: Vec<&Draft> = batch.iter().map(|entry| &entry.draft).collect();
        let sql = statement::append(&drafts, &heads.known());
        let nobody_waits = || batch.iter().all(|entry| entry.answer.is_closed());
        let outcomes = match line.submit_until_known(&sql, nobody_waits).await {
            Ok(row) => outcomes(&row, batch.len()),
            Err(failure) => vec![failure.outcome(); batch.len()],
        };
        for (entry, outcome) in batch.drain(..).zip(outcomes) {
            if let Ok(Outcome::Recorded(receipt)) = outcome {
                heads.saw(receipt.position, entry.draft.event_id);
                publisher.publish(&entry.draft, receipt);
            }
            // A caller that has given up in the meantime does not read it.
            let _ = entry.answer.send(outcome);
        }
    }
}
