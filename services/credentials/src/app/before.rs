//! Passwords that stand with the system of before.

use std::sync::Arc;

use sekisho_evidence::Cuts;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::subject::Subject;
use super::{App, Error};
use crate::domain::{Account, TypedLogin, TypedPassword};
use crate::former::FormerSystem;

/// Passwords that are asked about at a time. Of many guesses at once few are passed on before the account is locked.
const AT_ONCE: usize = 8;

/// The system of before, if there is one.
#[derive(Debug, Clone)]
pub(super) struct Before {
    system: Option<Arc<dyn FormerSystem>>,
    turns: Arc<Semaphore>,
}

/// One of those who ask at a time.
pub(super) type Turn<'a> = SemaphorePermit<'a>;

impl Default for Before {
    fn default() -> Self {
        Self {
            system: None,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl App {
    /// Asks the system of before about passwords that stand there.
    #[must_use]
    pub fn with_former(mut self, system: Arc<dyn FormerSystem>) -> Self {
        self.before.system = Some(system);
        self
    }

    /// Whether a password opens the account in the system of before, where its password still stands there. Nobody is asked while
    /// the account is locked: no guess may be tried there that is not tried here. The turn is to be kept until the answer is
    /// recorded, so that whoever gets it next sees the lock.
    ///
    /// # Errors
    /// [`Error::FormerSystem`]: then nothing was compared or recorded.
    pub(super) async fn opened_before(
        &self,
        login: &TypedLogin,
        subject: &Subject,
        typed: &TypedPassword,
        device: Option<[u8; 32]>,
        cuts: Cuts,
    ) -> Result<(bool, Option<Turn<'_>>), Error> {
        let (Some(system), TypedLogin::Possible(login), Subject::Known(known)) =
            (&self.before.system, login, subject)
        else {
            return Ok((false, None));
        };
        let TypedPassword::Comparable(password) = typed else {
            return Ok((false, None));
        };
        if !known.is_elsewhere {
            return Ok((false, None));
        }
        let turn = self
            .before
            .turns
            .acquire()
            .await
            .map_err(|_| Error::FormerSystem)?;
        let account = self.log.load::<Account>(known.account).await?.state;
        let device = account.known_device(self.device(known.account, device), cuts);
        if account.history.failures(device).are_locked(self.log.now()) {
            return Ok((false, None));
        }
        let accepted = system.accepts(login, password.clone()).await;
        Ok((accepted.map_err(|_| Error::FormerSystem)?, Some(turn)))
    }
}
