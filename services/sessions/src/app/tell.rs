//! Telling the other replicas of an end, and hearing of theirs.
//!
//! What is told ends a session at once, also where the log cannot be read. What could not be recorded is recorded by
//! whichever replica can do so first, in its sweep.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use sekisho_eventlog::{Context, LogFault};

use super::{ACTOR, Error, Sessions};
use crate::domain::{Command, Stage, Told, Tombstone};

/// Where tombstones travel. Only sessions may publish here.
const SUBJECT: &str = "signin.session.tombstone";

/// A flood of forged ones is said once in this time.
const WARN: Duration = Duration::from_secs(10);

impl Sessions {
    /// Hears of ends for ever.
    pub async fn hear(&self) -> Infallible {
        let mut told = self.inner.log.hear(SUBJECT).await;
        let mut warned: Option<Instant> = None;
        loop {
            let message = told.next().await;
            if let Some(tombstone) = self.inner.keys.open(&message) {
                self.hold(tombstone);
            } else if warned.is_none_or(|warned| warned.elapsed() > WARN) {
                warned = Some(Instant::now());
                tracing::warn!("a tombstone that no replica has sealed");
            }
        }
    }

    /// Tells of an end that the log holds; best effort, because everybody reads of it there.
    pub(super) async fn tell(&self, tombstone: Tombstone) {
        self.inner
            .log
            .tell(SUBJECT, self.inner.keys.seal(tombstone))
            .await;
    }

    /// Tells of an end that could not be recorded; whether the bus has taken it, so that all replicas hear of it.
    pub(super) async fn tell_unrecorded(&self, told: Told) -> bool {
        let tombstone = Tombstone::Session(told);
        let is_told = self
            .inner
            .log
            .tell(SUBJECT, self.inner.keys.seal(tombstone))
            .await;
        if is_told {
            self.hold(tombstone);
        }
        is_told
    }

    /// Records the ends that were told and are not in the log; another replica may be faster.
    pub(super) async fn record_told(&self) -> Result<(), Error> {
        let told = self.tombstones().told();
        for told in told {
            if self.is_recorded(told) {
                self.tombstones().forget(told.session);
                continue;
            }
            let context = Context::new(told.account, Some(told.flow), ACTOR);
            let end = Command::End {
                session: told.session,
                why: told.why,
            };
            match self.decide(&context, end).await {
                // A fault of this account alone keeps its tombstone.
                Err(Error::Log(LogFault::Unknown | LogFault::Refused)) => {}
                recorded => {
                    recorded?;
                    self.tombstones().forget(told.session);
                }
            }
        }
        let now = self.inner.log.now();
        self.tombstones().forget_old(now, &self.inner.limits);
        Ok(())
    }

    fn is_recorded(&self, told: Told) -> bool {
        self.inner.view.ask(|directory| {
            let session = directory.with_id(told.session);
            session.is_some_and(|session| matches!(session.stage, Stage::Over(_)))
        })
    }

    fn hold(&self, tombstone: Tombstone) {
        let now = self.inner.log.now();
        if !self.tombstones().hold(tombstone, now) {
            tracing::error!("too many ends are told and not recorded; this one is not held");
        }
    }
}
