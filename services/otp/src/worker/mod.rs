//! Hands mails to the relay: codes, and notices of what happened to an account.
//!
//! The to-do list is a fold of the log. A message on NATS wakes one replica at once; the others, and all of them while
//! NATS is away, take up a moment later what nobody has claimed. Who may try is decided by an event at an expected
//! version, so exactly one replica wins with or without NATS.

mod addresses;
mod deliver;
mod failure;
mod follow;
mod parking;
mod relay;
mod times;
mod todo;

pub use addresses::{Addresses, Credentials, Question};
pub use deliver::Courier;
pub use failure::Failure;
pub use relay::{Relay, RelayError, RelayUrl};

use std::collections::HashMap;
use std::sync::Arc;

use sekisho_eventlog::{Log, Position};
use sekisho_service::readiness::Latch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::app::Fates;
use follow::Folded;
use parking::{Delivery, Parking};
use times::{DRAIN, LOST, MAILS_AT_ONCE, NOTICES_AT_ONCE};
use todo::{Room, Todo};

/// The messages that wake a worker.
const SUBJECT: &str = "signin.code.code_issued";
/// Each message goes to one member.
const GROUP: &str = "otp-mail";

/// One replica's mail worker.
pub struct MailWorker {
    log: Log,
    courier: Arc<Courier>,
    fates: Fates,
    todo: Todo,
    at_hand: JoinSet<Delivery>,
    parking: Parking,
    mails: HashMap<Id, Position>,
}

/// The task that reads the log has died: without it a worker would look well and do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mail worker no longer hears from the log")]
pub struct FollowerGone;

impl MailWorker {
    /// A worker over a log; `fates` hears of every outcome that the log holds.
    pub fn new(log: Log, courier: Courier, fates: Fates) -> Self {
        Self {
            parking: Parking::new(log.clone()),
            log,
            courier: Arc::new(courier),
            fates,
            todo: Todo::default(),
            at_hand: JoinSet::new(),
            mails: HashMap::new(),
        }
    }

    /// Works until the shutdown, then lets the mails at hand finish. `caught_up` is released once the list holds
    /// everything that the log owed at the start.
    ///
    /// # Errors
    /// [`FollowerGone`].
    pub async fn run(mut self, shutdown: CancellationToken, caught_up: Latch) -> Result<(), FollowerGone> {
        // Subscribed before the list is read, so that nothing falls between.
        let mut wakeups = self.log.share_wakeups(SUBJECT, GROUP).await;
        let mut folded = follow::start(self.log.clone(), shutdown.clone());
        let mut caught_up = Some(caught_up);
        let mut looks = tokio::time::interval(parking::EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.take_up();
            let has_room = self.at_hand.len() < MAILS_AT_ONCE;
            let pause = self
                .todo
                .until_next(self.log.now(), |about| !self.parking.holds(about));
            let pause = pause.filter(|_| has_room);
            tokio::select! {
                () = shutdown.cancelled() => break,
                news = folded.recv() => {
                    let Some(news) = news else { break };
                    self.fold(&news);
                    if news.at_head && let Some(latch) = caught_up.take() {
                        latch.release();
                    }
                }
                position = wakeups.next() => self.todo.wake(position, self.log.now()),
                Some(ended) = self.at_hand.join_next_with_id() => self.let_go(ended).await,
                _ = looks.tick() => self.look_at_parked(caught_up.is_none()).await,
                () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
        if !shutdown.is_cancelled() {
            return Err(FollowerGone);
        }
        self.finish().await;
        Ok(())
    }

    fn fold(&mut self, news: &Folded) {
        if news.begins_anew {
            self.todo.forget_all();
        }
        for entry in &news.entries {
            if let Some(settled) = self.todo.fold(entry, times::chances()) {
                self.fates.announce(settled);
            }
        }
        self.todo.folded_upto(news.upto);
    }

    /// Takes up what is due, as far as there is room.
    fn take_up(&mut self) {
        let room = MAILS_AT_ONCE.saturating_sub(self.at_hand.len());
        if room == 0 {
            return;
        }
        let now = self.log.now();
        self.todo.drop_dead(now);
        let parking = &self.parking;
        let room = Room {
            mails: room,
            notices: NOTICES_AT_ONCE,
        };
        for owed in self.todo.take_due(now, room, |about| !parking.holds(about)) {
            let courier = Arc::clone(&self.courier);
            let about = owed.about;
            let task = self.at_hand.spawn(async move { courier.deliver(owed).await });
            self.mails.insert(task.id(), about);
        }
    }

    async fn let_go(&mut self, ended: Result<(Id, Delivery), JoinError>) {
        let (id, delivery) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!("a delivery panicked");
                (error.id(), Delivery::Stuck("PANIC"))
            }
        };
        if let Some(about) = self.mails.remove(&id) {
            // Until the follower has read what came of it.
            self.todo.put_off(about, self.log.now() + LOST);
            match delivery {
                Delivery::Over => self.parking.passed(about),
                Delivery::Behind { attempts } => {
                    self.parking.passed(about);
                    self.todo.learn(about, attempts);
                }
                Delivery::Settled => {
                    self.parking.passed(about);
                    self.todo.forget(about);
                }
                Delivery::Stuck(reason) => self.parking.failed(about, reason).await,
            }
        }
    }

    /// What is done is known once everything is folded.
    async fn look_at_parked(&mut self, is_caught_up: bool) {
        self.parking.look().await;
        if is_caught_up {
            let todo = &self.todo;
            self.parking.settle(|about| todo.owes(about)).await;
        }
    }

    async fn finish(mut self) {
        let all = async { while self.at_hand.join_next().await.is_some() {} };
        if timeout(DRAIN, all).await.is_err() {
            tracing::warn!(mails = self.at_hand.len(), "left to other workers");
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
