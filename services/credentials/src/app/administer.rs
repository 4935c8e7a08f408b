//! What administrators do with accounts. The actor of each event is the person whose certificate called.

use std::fmt;
use std::sync::Arc;

use sekisho_eventlog::{Context, DecideError, Decided, EventId, LogFault, Position, StreamId, Via};

use super::{App, Error};
use crate::domain::{Account, Address, Command, LoginId, Profile, Rejection, TypedLogin, decide};
use crate::hashing::{FirstPassword, SealedHash};
use crate::sealing::PersonalKey;
use crate::store;

/// An account to make.
#[derive(Clone)]
pub struct Registration {
    /// As typed; normalised here.
    pub login_id: String,
    /// Facility, name and address.
    pub profile: Profile,
    /// What it signs in with at first.
    pub password: FirstPassword,
    /// The password is distributed to its owner, who has not chosen it.
    pub password_is_initial: bool,
    /// Nobody may sign in yet.
    pub disabled: bool,
}

impl App {
    /// Makes an account, with its password and a personal key. Answers its id and where AccountRegistered stands.
    ///
    /// # Errors
    /// [`Error::LoginId`], [`Error::AccountExists`].
    pub async fn register(
        &self,
        registration: Registration,
        actor: &str,
    ) -> Result<(StreamId, Position), Error> {
        let TypedLogin::Possible(login) = TypedLogin::read(&registration.login_id) else {
            return Err(Error::LoginId);
        };
        if self.store.find(&login).await?.is_some() {
            return Err(Error::AccountExists);
        }
        self.make_account(&login, &registration, actor).await
    }

    /// Makes the account of a login id that nobody had a moment ago.
    pub(super) async fn make_account(
        &self,
        login: &LoginId,
        registration: &Registration,
        actor: &str,
    ) -> Result<(StreamId, Position), Error> {
        self.refuse_unusable(&registration.password).await?;
        let account = StreamId(EventId::new(self.log.now()).0);
        let facility_code = registration.profile.facility_code.clone();
        let context = self.registering(account, login, registration, actor)?;
        let decided = self
            .log
            .decide::<Account, Rejection>(&context, |facts| {
                let command = Command::Register {
                    facility_code: facility_code.clone(),
                    password_is_initial: registration.password_is_initial,
                    disabled: registration.disabled,
                };
                decide(&facts.state, facts.now, command)
            })
            .await;
        match decided {
            // The function refuses a login id that somebody took since it was looked up.
            Err(DecideError::Log(LogFault::Refused)) if self.store.find(login).await?.is_some() => {
                Err(Error::AccountExists)
            }
            decided => Ok((account, position(&decided?))),
        }
    }

    /// Disables the account of a login id, and ends everything that was opened. Answers where AccountDisabled stands; 0
    /// if it was disabled already.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`].
    pub async fn disable(&self, login_id: &str, actor: &str) -> Result<Position, Error> {
        self.switch(login_id, actor, Command::Disable).await
    }

    /// Enables the account of a login id again. Answers where AccountEnabled stands; 0 if it was enabled already.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`].
    pub async fn enable(&self, login_id: &str, actor: &str) -> Result<Position, Error> {
        self.switch(login_id, actor, Command::Enable).await
    }

    /// Ends the locks of a login id's account, but for those that only a new password ends, and forgets its failures, its wrong
    /// codes and how many mails of resets it has had. Answers where AccountUnlocked stands.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`].
    pub async fn unlock(&self, login_id: &str, actor: &str) -> Result<Position, Error> {
        self.switch(login_id, actor, Command::Unlock).await
    }

    /// Declares the password of a login id's account used up. Answers where PasswordExpired stands; 0 if it was so already.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`].
    pub async fn expire_password(&self, login_id: &str, actor: &str) -> Result<Position, Error> {
        self.switch(login_id, actor, Command::ExpirePassword).await
    }

    /// Has codes of a login id's account mailed elsewhere. Answers where EmailChanged stands; 0 if it was so already.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`].
    pub async fn change_address(
        &self,
        login_id: &str,
        address: Option<Address>,
        actor: &str,
    ) -> Result<Position, Error> {
        let account = self.resolve_login(login_id).await?;
        let person = self.store.person(account).await?.ok_or(Error::AccountUnknown)?;
        if person.address == address {
            return Ok(Position(0));
        }
        let via = store::new_address(address.as_ref());
        self.administer(account, actor, via, Command::ChangeAddress).await
    }

    /// Destroys everything that is known of a person, and the key that seals what the log keeps. Answers where AccountErased
    /// stands.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`].
    pub async fn erase(&self, login_id: &str, actor: &str) -> Result<Position, Error> {
        let account = self.resolve_login(login_id).await?;
        let via = Via::Function {
            name: "credentials.erase_account",
            arguments: Arc::new([]),
            grouped: false,
        };
        self.administer(account, actor, via, Command::Erase).await
    }

    /// The account id behind a login id.
    ///
    /// # Errors
    /// [`Error::AccountUnknown`].
    pub async fn resolve_login(&self, login_id: &str) -> Result<StreamId, Error> {
        let TypedLogin::Possible(login) = TypedLogin::read(login_id) else {
            return Err(Error::AccountUnknown);
        };
        let found = self.store.find(&login).await?.ok_or(Error::AccountUnknown)?;
        Ok(found.account)
    }

    async fn switch(&self, login_id: &str, actor: &str, command: Command) -> Result<Position, Error> {
        let account = self.resolve_login(login_id).await?;
        self.administer(account, actor, Via::Append, command).await
    }

    pub(super) async fn administer(
        &self,
        account: StreamId,
        actor: &str,
        via: Via,
        command: Command,
    ) -> Result<Position, Error> {
        let context = Context {
            via,
            ..Context::new(account, None, actor)
        };
        let decided = self
            .log
            .decide::<Account, Rejection>(&context, |facts| decide(&facts.state, facts.now, command.clone()))
            .await?;
        Ok(position(&decided))
    }

    /// Refuses a password that nobody could be asked about, and a hash that takes longer to compare with than any denial: it would
    /// tell who has an account.
    pub(super) async fn refuse_unusable(&self, password: &FirstPassword) -> Result<(), Error> {
        let phc = match password {
            FirstPassword::WithFormer if self.former.is_there() => return Ok(()),
            FirstPassword::WithFormer => return Err(Error::FormerSystemMissing),
            FirstPassword::Hash(phc) => phc,
        };
        let most = self.rules.denial_time;
        if phc.is_of_today() || most.is_zero() || self.costs.are_below(most * 2 / 3, phc, &self.pool).await? {
            Ok(())
        } else {
            Err(Error::PasswordHashDear)
        }
    }

    fn registering(
        &self,
        account: StreamId,
        login: &LoginId,
        registration: &Registration,
        actor: &str,
    ) -> Result<Context, Error> {
        let wrapped = PersonalKey::random().wrap(&self.keys.masters, account)?;
        let password = match &registration.password {
            FirstPassword::Hash(phc) => self.keys.pepper.seal(account, phc)?,
            FirstPassword::WithFormer => SealedHash::with_former(),
        };
        let arguments = store::registration(login, &registration.profile, password, wrapped);
        Ok(Context {
            via: Via::Function {
                name: "credentials.register_account",
                arguments: arguments.into(),
                grouped: true,
            },
            ..Context::new(account, None, actor)
        })
    }
}

fn position(decided: &Decided<Account>) -> Position {
    match decided {
        Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. } => recorded.position,
        Decided::Nothing(_) => Position(0),
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}
