//! Accounts as a list says they should be. The same list again changes nothing.

use std::collections::{HashMap, HashSet};
use std::fmt;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use sekisho_eventlog::{LogFault, StreamId, Via};
use sekisho_service::settings::Secret;

use super::{App, Error, Registration};
use crate::domain::{Account, Change, Command, Declaration, Declared, Existing, LoginId, Profile, Stage};
use crate::hashing::{FirstPassword, Phc};
use crate::store::{self, Row};

/// Rows of one call, at most.
const MOST: usize = 500;
/// Rows that are worked on at a time: registrations that wait together are committed together.
const AT_ONCE: usize = 16;

/// One row of a list.
#[derive(Clone)]
pub struct ImportRow {
    /// What the account should be.
    pub declared: Declared,
    /// A ready-made hash for a new account, or the word `former-system`; may be empty where an account at the provider opens it. Whoever
    /// has an account keeps the password.
    pub password_hash: Secret<String>,
    /// That password is distributed to its owner, who has not chosen it.
    pub password_is_initial: bool,
    /// What the caller knows of it.
    pub expected: Expected,
}

/// What a caller knows of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Anything,
    /// Nobody has the login id. After a call whose answer was lost somebody has it, with the hash of the row.
    New,
    /// Somebody has it.
    Known,
}

/// What became of a row.
#[derive(Debug)]
pub struct Imported {
    /// Whose account it is, normalised; `None` if nobody can have this login id, or a part of the row cannot be used.
    pub login: Option<LoginId>,
    /// What was changed, or would be; or why nothing was.
    pub outcome: Result<Vec<Change>, Error>,
}

/// Whether anything is changed, or only compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Import<'a> {
    /// Says what would be changed.
    DryRun,
    /// Changes it, in the name of this actor.
    By(&'a str),
}

impl App {
    /// Makes accounts what the rows say, each by itself. A row that cannot be followed changes nothing and hinders no other. Of
    /// several changes to one account each is an event: what stops between them is gone on with by the same row again.
    ///
    /// # Errors
    /// [`Error::TooManyRows`]. When tables or log do not answer: then some rows may be done, and the same call again does the
    /// rest.
    pub async fn import(&self, rows: Vec<ImportRow>, import: Import<'_>) -> Result<Vec<Imported>, Error> {
        if rows.len() > MOST {
            return Err(Error::TooManyRows);
        }
        let mut seen = HashSet::new();
        let rows: Vec<_> = rows.into_iter().map(|row| read(row, &mut seen)).collect();
        let logins = rows.iter().flatten().map(|(declaration, _)| declaration.login());
        let known = self.store.rows_of(logins).await?;
        let known: HashMap<&str, &Row> = known.iter().map(|row| (row.login_id.as_str(), row)).collect();
        let imported = stream::iter(rows).map(async |row| {
            let (declaration, row) = match row {
                Ok(row) => row,
                Err(error) => return Imported::refused(error),
            };
            let known = known.get(declaration.login().as_str()).copied();
            let outcome = self.import_row(&declaration, &row, known, import).await;
            Imported {
                login: Some(declaration.login().clone()),
                outcome,
            }
        });
        let all = imported.buffered(AT_ONCE).map(of_the_row_alone);
        all.try_collect().await
    }

    async fn import_row(
        &self,
        declaration: &Declaration,
        row: &ImportRow,
        known: Option<&Row>,
        import: Import<'_>,
    ) -> Result<Vec<Change>, Error> {
        match (known, row.expected) {
            (None, Expected::Known) => return Err(Error::AccountUnknown),
            (Some(known), Expected::New) if !self.is_made_by(known, declaration, row).await? => {
                return Err(Error::AccountExists);
            }
            (None, Expected::New | Expected::Anything)
            | (Some(_), Expected::New | Expected::Known | Expected::Anything) => {}
        }
        let existing = match known {
            Some(known) => Some(self.existing(known, declaration).await?),
            None => None,
        };
        let profile = declaration
            .profile(existing.as_ref())
            .map_err(Error::Declaration)?;
        let changes = declaration.changes(existing.as_ref(), &profile);
        if let Some(subject) = declaration.subject()
            && changes.contains(&Change::Linked)
        {
            let account = known.map(|known| StreamId(known.account_id));
            self.refuse_taken(account, subject).await?;
        }
        let account = if let Some(known) = known {
            StreamId(known.account_id)
        } else {
            // Made as it should be in one event: nobody signs in before it is disabled.
            let disabled = changes.contains(&Change::Disabled);
            let registration = registration(declaration, row, profile.clone(), disabled)?;
            let Import::By(actor) = import else {
                self.refuse_unusable(&registration.password).await?;
                return Ok(changes);
            };
            let login = declaration.login();
            self.make_account(login, &registration, actor).await?.0
        };
        if let Import::By(actor) = import {
            let before = existing.as_ref().map_or(&profile, |existing| &existing.profile);
            // Made in one event; only the link is another one.
            let changes = changes
                .iter()
                .filter(|change| existing.is_some() || **change == Change::Linked);
            self.make_so(account, declaration, [before, &profile], changes, actor)
                .await?;
        }
        Ok(changes)
    }

    /// Whether an account still opens as a row says that a new one does.
    async fn is_made_by(
        &self,
        known: &Row,
        declaration: &Declaration,
        row: &ImportRow,
    ) -> Result<bool, Error> {
        if is_without_password(declaration, row)
            && let Some(linked) = known.linked_with(self.issuer())?
        {
            return Ok(Some(&linked) == declaration.subject());
        }
        let account = StreamId(known.account_id);
        let Some(stored) = self.store.password(account).await? else {
            return Ok(false);
        };
        Ok(match first_password(declaration, row)? {
            FirstPassword::WithFormer => stored.hash.is_with_former(),
            FirstPassword::Hash(_) if stored.hash.is_with_former() => false,
            FirstPassword::Hash(phc) => *phc == self.keys.pepper.open(account, &stored.hash)?,
        })
    }

    /// Whether it is disabled is in the log alone, and only looked up for who says something about it.
    async fn existing(&self, row: &Row, declaration: &Declaration) -> Result<Existing, Error> {
        let stage = if declaration.is_about_state() {
            let account = StreamId(row.account_id);
            self.log.load::<Account>(account).await?.state.stage
        } else {
            Stage::default()
        };
        Ok(Existing {
            profile: row.profile()?,
            subject: row.linked_with(self.issuer())?,
            disabled: matches!(stage, Stage::Disabled { .. }),
        })
    }

    /// Makes what is different of an account that is there.
    async fn make_so(
        &self,
        account: StreamId,
        declaration: &Declaration,
        [before, profile]: [&Profile; 2],
        changes: impl Iterator<Item = &Change>,
        actor: &str,
    ) -> Result<(), Error> {
        for change in changes {
            let (via, command) = match change {
                Change::Registered => continue,
                Change::Transferred => {
                    let facility_code = profile.facility_code.clone();
                    (
                        store::new_profile(before, profile),
                        Command::ChangeProfile { facility_code },
                    )
                }
                Change::Renamed => {
                    let facility_code = String::new();
                    (
                        store::new_profile(before, profile),
                        Command::ChangeProfile { facility_code },
                    )
                }
                Change::AddressChanged => (
                    store::new_address(profile.address.as_ref()),
                    Command::ChangeAddress,
                ),
                Change::Disabled => (Via::Append, Command::Disable),
                Change::Enabled => (Via::Append, Command::Enable),
                Change::Linked => {
                    self.link_identity(account, declaration.subject(), actor).await?;
                    continue;
                }
            };
            self.administer(account, actor, via, command).await?;
        }
        Ok(())
    }
}

/// Of two rows about one account nobody knows which is meant to be the last.
fn read(row: ImportRow, seen: &mut HashSet<LoginId>) -> Result<(Declaration, ImportRow), Error> {
    let declaration = Declaration::read(row.declared.clone()).map_err(Error::Declaration)?;
    if seen.insert(declaration.login().clone()) {
        Ok((declaration, row))
    } else {
        Err(Error::LoginIdRepeated)
    }
}

fn registration(
    declaration: &Declaration,
    row: &ImportRow,
    profile: Profile,
    disabled: bool,
) -> Result<Registration, Error> {
    Ok(Registration {
        login_id: declaration.login().as_str().to_owned(),
        profile,
        password: first_password(declaration, row)?,
        password_is_initial: row.password_is_initial,
        disabled,
    })
}

/// A person at the provider opens the account, and nobody thought of a password.
fn is_without_password(declaration: &Declaration, row: &ImportRow) -> bool {
    declaration.subject().is_some() && row.password_hash.expose().is_empty()
}

/// Nobody knows the password of an account that a person at the provider opens; when that ends one day, a new one must be set.
fn first_password(declaration: &Declaration, row: &ImportRow) -> Result<FirstPassword, Error> {
    if is_without_password(declaration, row) {
        let decoy = Phc::decoy().ok_or(Error::Broken("the decoy is no hash"))?;
        return Ok(FirstPassword::Hash(Box::new(decoy)));
    }
    FirstPassword::try_from(row.password_hash.expose().as_str()).map_err(Error::PasswordHash)
}

/// What is wrong with a row is its outcome; what may pass by ends the call, so that it is sent again.
fn of_the_row_alone(imported: Imported) -> Result<Imported, Error> {
    match imported.outcome {
        Err(
            error @ Error::Log(
                LogFault::Busy | LogFault::Unavailable | LogFault::WentBack | LogFault::ClockWentBack,
            ),
        ) => Err(error),
        outcome => Ok(Imported { outcome, ..imported }),
    }
}

impl Imported {
    fn refused(error: Error) -> Self {
        Self {
            login: None,
            outcome: Err(error),
        }
    }
}

impl fmt::Debug for ImportRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportRow").finish_non_exhaustive()
    }
}
