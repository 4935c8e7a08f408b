//! Hands the mails of codes to the relay.
//!
//! The to-do list is a fold of the log. A message on NATS wakes one replica at once; the others, and all of them while
//! NATS is away, take up a moment later what nobody has claimed. Who may try is decided by an event at an expected
//! version, so exactly one replica wins with or without NATS.

mod addresses;
mod deliver;
mod failure;
mod follow;
mod letter;
mod relay;
mod since;
mod times;
mod todo;

pub use addresses::{Addresses, Credentials, Question};
pub use deliver::Courier;
pub use failure::Failure;
pub use letter::{Letters, MailFrom};
pub use relay::{Relay, RelayError, RelayUrl};

use std::collections::HashMap;
use std::sync::Arc;

use sekisho_eventlog::{Log, Position, Wakeups};
use sekisho_service::readiness::Latch;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::app::Fates;
use follow::Folded;
use times::{DRAIN, LOST, MAILS_AT_ONCE};
use todo::Todo;

/// The messages that wake a worker.
const SUBJECT: &str = "signin.code.code_issued";
/// Each message goes to one member.
const GROUP: &str = "otp-mail";

/// One replica's mail worker.
pub struct MailWorker {
    log: Log,
    courier: Arc<Courier>,
    fates: Fates,
}

/// What the worker is doing right now.
struct Desk {
    todo: Todo,
    at_hand: JoinSet<()>,
    mails: HashMap<Id, Position>,
}

impl MailWorker {
    /// A worker over a log; `fates` hears of every outcome that the log holds.
    pub fn new(log: Log, courier: Courier, fates: Fates) -> Self {
        Self {
            log,
            courier: Arc::new(courier),
            fates,
        }
    }

    /// Works until the shutdown, then lets the mails at hand finish. `caught_up` is released once the list holds
    /// everything that the log owed at the start.
    pub async fn run(self, shutdown: CancellationToken, caught_up: Latch) {
        // Subscribed before the list is read, so that nothing falls between.
        let mut wakeups = self.log.share_wakeups(SUBJECT, GROUP).await;
        let mut folded = follow::start(self.log.clone(), shutdown.clone());
        let mut desk = Desk {
            todo: Todo::default(),
            at_hand: JoinSet::new(),
            mails: HashMap::new(),
        };
        let mut caught_up = Some(caught_up);
        while !shutdown.is_cancelled() {
            self.step(&mut desk, &mut wakeups, &mut folded, &shutdown, &mut caught_up)
                .await;
            self.take_up(&mut desk);
        }
        let finish = async { while desk.at_hand.join_next().await.is_some() {} };
        if timeout(DRAIN, finish).await.is_err() {
            tracing::warn!(mails = desk.at_hand.len(), "left to other workers");
        }
    }

    /// Waits for the next thing that happens.
    async fn step(
        &self,
        desk: &mut Desk,
        wakeups: &mut Wakeups,
        folded: &mut mpsc::Receiver<Folded>,
        shutdown: &CancellationToken,
        caught_up: &mut Option<Latch>,
    ) {
        let has_room = desk.at_hand.len() < MAILS_AT_ONCE;
        let pause = desk.todo.until_next(self.log.now()).filter(|_| has_room);
        tokio::select! {
            () = shutdown.cancelled() => {}
            Some(news) = folded.recv() => {
                for entry in &news.entries {
                    if let Some(settled) = desk.todo.fold(entry, times::grace()) {
                        self.fates.announce(settled);
                    }
                }
                desk.todo.folded_upto(news.upto);
                if news.at_head && let Some(latch) = caught_up.take() {
                    latch.release();
                }
            }
            position = wakeups.next() => desk.todo.wake(position, self.log.now()),
            Some(ended) = desk.at_hand.join_next_with_id(), if !desk.at_hand.is_empty() => {
                let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, ())| *id);
                if let Some(about) = desk.mails.remove(&id) {
                    // Until the follower has read what came of it.
                    desk.todo.put_off(about, self.log.now() + LOST);
                }
            }
            () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        }
    }

    /// Takes up what is due, as far as there is room.
    fn take_up(&self, desk: &mut Desk) {
        let now = self.log.now();
        desk.todo.drop_dead(now);
        let room = MAILS_AT_ONCE.saturating_sub(desk.at_hand.len());
        for owed in desk.todo.take_due(now, room) {
            let courier = Arc::clone(&self.courier);
            let about = owed.about;
            let task = desk.at_hand.spawn(async move { courier.deliver(owed).await });
            desk.mails.insert(task.id(), about);
        }
    }
}

impl std::fmt::Debug for MailWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailWorker")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
