//! Passwords that stand with the former system.

use std::sync::Arc;
use std::time::Duration;

use sekisho_evidence::Cuts;
use sekisho_service::settings::Secret;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::subject::Subject;
use super::{App, Error};
use crate::domain::{Account, LoginId, TypedLogin, TypedPassword};
use crate::former::FormerSystem;

/// Passwords that are asked about at a time. Of many guesses at once few are passed on before the account is locked.
const AT_ONCE: usize = 8;
/// How long anybody waits for a turn. Longer, and the answer would come too late for whoever waits.
const PATIENCE: Duration = Duration::from_millis(300);

/// The former system, if there is one.
#[derive(Debug, Clone)]
pub(super) struct Former {
    system: Option<Arc<dyn FormerSystem>>,
    turns: Arc<Semaphore>,
}

/// What the former system says of a password.
pub(super) struct Asked<'a> {
    /// It opens the account there.
    pub accepts: bool,
    /// The turn of one of those who ask at a time, if it was asked: to be kept until what it said is recorded, so that whoever
    /// asks next sees the lock.
    turn: Option<SemaphorePermit<'a>>,
}

impl Asked<'_> {
    /// Nobody was asked.
    pub const NOT: Self = Self {
        accepts: false,
        turn: None,
    };

    /// Lets the next one ask.
    pub fn give_way(self) {
        drop(self.turn);
    }
}

impl Former {
    /// Whether anybody can be asked.
    pub fn is_there(&self) -> bool {
        self.system.is_some()
    }
}

impl Default for Former {
    fn default() -> Self {
        Self {
            system: None,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl App {
    /// Asks the former system about passwords that stand there.
    #[must_use]
    pub fn with_former(mut self, system: Arc<dyn FormerSystem>) -> Self {
        self.former.system = Some(system);
        self
    }

    /// Whether a typed password opens the account in the former system, where its password still stands there. Nobody is asked
    /// while the account is locked: no guess may be tried there that is not tried here.
    ///
    /// # Errors
    /// [`Error::HashingBusy`] without a turn in time, [`Error::FormerSystem`] without an answer: then nothing was recorded.
    pub(super) async fn ask_former(
        &self,
        login: &TypedLogin,
        subject: &Subject,
        typed: &TypedPassword,
        device: Option<[u8; 32]>,
        cuts: Cuts,
    ) -> Result<Asked<'_>, Error> {
        let (TypedLogin::Possible(login), Subject::Known(known), TypedPassword::Comparable(password)) =
            (login, subject, typed)
        else {
            return Ok(Asked::NOT);
        };
        if self.former.system.is_none() || !known.is_with_former() {
            return Ok(Asked::NOT);
        }
        let turn = self.turn().await?;
        let account = self.log.load::<Account>(known.account).await?.state;
        let device = account.known_device(self.device(known.account, device), cuts);
        if account.history.failures(device).are_locked(self.log.now()) {
            return Ok(Asked::NOT);
        }
        Ok(Asked {
            accepts: self.former_accepts(login, password).await?,
            turn: Some(turn),
        })
    }

    /// Whether the former system accepts a password; never without one.
    ///
    /// # Errors
    /// [`Error::FormerSystem`].
    pub(super) async fn former_accepts(
        &self,
        login: &LoginId,
        password: &Secret<String>,
    ) -> Result<bool, Error> {
        let Some(system) = &self.former.system else {
            return Ok(false);
        };
        let accepted = system.accepts(login, password.clone()).await;
        accepted.map_err(|_| Error::FormerSystem)
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        match timeout(PATIENCE, self.former.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Error::HashingBusy),
        }
    }
}
