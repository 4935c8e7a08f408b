//! Mails that keep failing for a reason that time does not mend are laid aside, until an operator has them tried again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sekisho_eventlog::{Log, Position};
use sekisho_service::chain;

/// What is parked, by name.
const WORK: &str = "mail";
/// Tries in a row after which a mail is parked.
const ATTEMPTS: u32 = 5;
/// Between two looks at what operators want.
pub(super) const EVERY: Duration = Duration::from_secs(2);

/// How a try to deliver a mail has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The log says what came of it, or another worker has it, or time may mend what was in the way.
    Over,
    /// It is owed no longer, and will not be again.
    Settled,
    /// It was tried more often than this worker knew.
    Behind { attempts: u32 },
    /// It will fail in the same way whenever it is tried; the reason in upper snake case.
    Stuck(&'static str),
}

/// What this worker knows of failures and of what is parked.
#[derive(Debug)]
pub(super) struct Parking {
    log: Log,
    failures: HashMap<Position, u32>,
    parked: HashSet<Position>,
    replayed: HashSet<Position>,
}

impl Parking {
    /// Nothing has failed yet.
    pub fn new(log: Log) -> Self {
        Self {
            log,
            failures: HashMap::new(),
            parked: HashSet::new(),
            replayed: HashSet::new(),
        }
    }

    /// Whether a mail is laid aside.
    pub fn holds(&self, about: Position) -> bool {
        self.parked.contains(&about)
    }

    /// A try has ended otherwise.
    pub fn passed(&mut self, about: Position) {
        self.failures.remove(&about);
    }

    /// Counts a failure that time does not mend, and parks the mail with the fifth.
    pub async fn failed(&mut self, about: Position, reason: &'static str) {
        let failures = self.failures.entry(about).or_default();
        *failures += 1;
        let attempts = *failures;
        tracing::warn!(position = about.0, reason, attempts, "a mail is stuck");
        if attempts < ATTEMPTS {
            return;
        }
        match self.log.park(WORK, about, attempts, reason).await {
            Ok(true) => {
                tracing::error!(
                    position = about.0,
                    reason,
                    "a mail is parked: `sekisho parked list`"
                );
                self.failures.remove(&about);
                self.replayed.remove(&about);
                self.parked.insert(about);
            }
            Ok(false) => tracing::error!("too much is parked; this mail is tried again and again"),
            Err(error) => tracing::warn!(error = chain(&error), "a mail was not parked"),
        }
    }

    /// Reads what is parked, by whichever replica, and what an operator wants to be tried again.
    pub async fn look(&mut self) {
        let all = match self.log.own_parked(WORK).await {
            Ok(all) => all,
            Err(error) => {
                tracing::warn!(error = chain(&error), "what is parked was not read");
                return;
            }
        };
        let (replayed, parked): (Vec<_>, Vec<_>) = all.into_iter().partition(|parked| parked.replay);
        self.parked = parked.into_iter().map(|parked| parked.about).collect();
        self.replayed = replayed.into_iter().map(|parked| parked.about).collect();
        // Whichever replica has parked it: after a replay all begin to count anew.
        self.failures.retain(|about, _| !self.parked.contains(about));
    }

    /// Forgets mails that are not owed any more: what an operator had tried again is done.
    pub async fn settle(&mut self, is_owed: impl Fn(Position) -> bool) {
        self.failures.retain(|about, _| is_owed(*about));
        let done: Vec<_> = self
            .replayed
            .iter()
            .copied()
            .filter(|about| !is_owed(*about))
            .collect();
        for about in done {
            match self.log.unpark(WORK, about).await {
                Ok(()) => drop(self.replayed.remove(&about)),
                Err(error) => tracing::warn!(error = chain(&error), "what is done is still parked"),
            }
        }
    }
}
