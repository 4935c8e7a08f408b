//! Group commit: the next batch is everything that waits when the last has committed. No timer.
//!
//! Entries go out in one call of the append function. Combined functions change tables, too: those that may be grouped go out
//! as one transaction, all others one by one.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgRow};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use crate::alarm::Alarm;
use crate::answer;
use crate::append::{AppendError, Outcome};
use crate::draft::{Draft, Via};
use crate::head::Heads;
use crate::line::{Failure, Line};
use crate::publish::Publisher;
use crate::statement;

/// Entries in one statement, at most; `log.append` refuses more.
const BATCH: usize = 500;
/// Calls of combined functions in one transaction, at most: each takes the time of several statements under the log's lock,
/// and everybody else waits for that.
const GROUP: usize = 16;
/// Entries of this process that wait; one more is answered with [`AppendError::Busy`].
const QUEUE: usize = 4096;
/// How long a caller waits for its outcome.
const PATIENCE: Duration = Duration::from_secs(2);

/// A draft whose caller waits.
struct Waiting {
    draft: Draft,
    answer: oneshot::Sender<Result<Outcome, AppendError>>,
}

/// A call of a combined function, and its draft.
struct Call {
    sql: Arc<str>,
    waiting: Waiting,
}

/// Hands drafts to the tasks that own the writing connections.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    entries: mpsc::Sender<Waiting>,
    calls: mpsc::Sender<Call>,
    functions: Functions,
}

/// The connection for combined functions. They share one, one transaction at a time: the log's lock would order them anyway.
#[derive(Debug, Clone)]
struct Functions {
    line: Arc<Mutex<Line>>,
    witness: Witness,
}

/// What learns of every entry that was recorded.
#[derive(Debug, Clone)]
struct Witness {
    heads: Heads,
    publisher: Publisher,
}

impl Writer {
    /// Starts the writing tasks; they end when the last `Writer` is gone.
    pub fn start(options: &PgConnectOptions, heads: Heads, publisher: Publisher, alarm: &Alarm) -> Self {
        let (entries, waiting_entries) = mpsc::channel(QUEUE);
        let (calls, waiting_calls) = mpsc::channel(QUEUE);
        let witness = Witness { heads, publisher };
        let functions = Functions {
            line: Arc::new(Mutex::new(Line::new(options))),
            witness: witness.clone(),
        };
        tokio::spawn(alarm.watch(commit_entries(waiting_entries, Line::new(options), witness)));
        tokio::spawn(alarm.watch(commit_calls(waiting_calls, functions.clone())));
        Self {
            entries,
            calls,
            functions,
        }
    }

    /// Appends a draft and waits for its outcome, 2 s at most.
    pub async fn append(&self, draft: Draft, via: &Via) -> Result<Outcome, AppendError> {
        draft.check()?;
        let outcome = match via {
            Via::Append => timeout(PATIENCE, answered(&self.entries, draft, |waiting| waiting)).await,
            Via::Function {
                name,
                arguments,
                grouped,
            } => {
                let sql = statement::combined(name, &draft, &self.functions.witness.heads.known(), arguments);
                if *grouped {
                    let call = |waiting| Call { sql, waiting };
                    timeout(PATIENCE, answered(&self.calls, draft, call)).await
                } else {
                    timeout(PATIENCE, self.functions.call(&sql, &draft, || false)).await
                }
            }
        };
        outcome.unwrap_or(Err(AppendError::Unavailable))
    }

    /// Takes the log's lock and lets it go, 2 s at most.
    pub async fn probe(&self) -> Result<(), AppendError> {
        let nothing = statement::append(&[], &self.functions.witness.heads.known());
        match timeout(PATIENCE, self.functions.submit(&nothing, || false)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(failure)) => failure.outcome().map(drop),
            Err(_) => Err(AppendError::Unavailable),
        }
    }
}

impl Functions {
    async fn submit(&self, sql: &Arc<str>, given_up: impl Fn() -> bool) -> Result<Vec<PgRow>, Failure> {
        self.line.lock().await.submit_until_known(sql, given_up).await
    }

    /// Commits one call. After an unknown outcome it is submitted again like a batch.
    async fn call(
        &self,
        sql: &Arc<str>,
        draft: &Draft,
        given_up: impl Fn() -> bool,
    ) -> Result<Outcome, AppendError> {
        let outcome = match self.submit(sql, given_up).await {
            Ok(rows) => answer::of_call(rows.first()),
            Err(failure) => failure.outcome(),
        };
        self.witness.saw(draft, &outcome);
        outcome
    }
}

impl Witness {
    fn saw(&self, draft: &Draft, outcome: &Result<Outcome, AppendError>) {
        if let Ok(Outcome::Recorded(receipt)) = outcome {
            self.heads.saw(receipt.position, draft.event_id);
            self.publisher.publish(draft, *receipt);
        }
    }
}

impl Waiting {
    fn has_given_up(&self) -> bool {
        self.answer.is_closed()
    }

    fn settle(self, outcome: Result<Outcome, AppendError>) {
        // A caller that has given up in the meantime does not read it.
        let _ = self.answer.send(outcome);
    }
}

/// Puts a draft into a queue, in the shape that it takes there, and waits for its outcome.
async fn answered<T>(
    queue: &mpsc::Sender<T>,
    draft: Draft,
    shape: impl FnOnce(Waiting) -> T,
) -> Result<Outcome, AppendError> {
    let (answer, outcome) = oneshot::channel();
    queue
        .try_send(shape(Waiting { draft, answer }))
        .map_err(|error| match error {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Closed(_) => AppendError::Unavailable,
        })?;
    outcome.await.unwrap_or(Err(AppendError::Unavailable))
}

async fn commit_entries(mut queue: mpsc::Receiver<Waiting>, mut line: Line, witness: Witness) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        // Whose caller has given up is dropped unsent.
        batch.retain(|waiting| !waiting.has_given_up());
        if batch.is_empty() {
            continue;
        }
        let drafts: Vec<&Draft> = batch.iter().map(|waiting| &waiting.draft).collect();
        let sql = statement::append(&drafts, &witness.heads.known());
        let nobody_waits = || batch.iter().all(Waiting::has_given_up);
        let outcomes = match line.submit_until_known(&sql, nobody_waits).await {
            Ok(rows) => answer::of_batch(&rows, batch.len()),
            Err(failure) => vec![failure.outcome(); batch.len()],
        };
        for (waiting, outcome) in batch.drain(..).zip(outcomes) {
            witness.saw(&waiting.draft, &outcome);
            waiting.settle(outcome);
        }
    }
}

async fn commit_calls(mut queue: mpsc::Receiver<Call>, functions: Functions) {
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        group.retain(|call| !call.waiting.has_given_up());
        if group.is_empty() {
            continue;
        }
        let nobody_waits = || group.iter().all(|call| call.waiting.has_given_up());
        let sql = statement::together(group.iter().map(|call| &call.sql));
        match functions.submit(&sql, nobody_waits).await {
            Ok(rows) => {
                for (nth, call) in group.drain(..).enumerate() {
                    let outcome = answer::of_call(rows.get(nth));
                    functions.witness.saw(&call.waiting.draft, &outcome);
                    call.waiting.settle(outcome);
                }
            }
            // One of them was refused, and nothing of any was written: each by itself.
            Err(failure) if failure.is_of_one_call() => {
                for Call { sql, waiting } in group.drain(..) {
                    if waiting.has_given_up() {
                        continue;
                    }
                    let nobody_waits = || waiting.has_given_up();
                    let outcome = functions.call(&sql, &waiting.draft, nobody_waits).await;
                    waiting.settle(outcome);
                }
            }
            Err(failure) => {
                for call in group.drain(..) {
                    call.waiting.settle(failure.outcome());
                }
            }
        }
    }
}
