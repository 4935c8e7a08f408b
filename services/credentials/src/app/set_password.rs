//! A new password on the evidence of an accepted code.

use std::sync::Arc;

use sekisho_eventlog::{Context, Decided, Entry, Facts, FlowId, Position, StreamId, Via};
use sekisho_evidence::{CommandId, Cuts, Flow, Mint, Minted, Proof, Refusal, newest_cuts};
use sekisho_proto::Kind;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;

use super::verify::Stopped;
use super::{App, Error, context};
use crate::domain::{
    Account, Blocklist, Command, NewPassword, PasswordError, TypedLogin, TypedPassword, decide,
};
use crate::store;

/// A new password for the account of a reset flow.
#[derive(Debug)]
pub struct PasswordChange {
    /// The flow.
    pub flow: FlowId,
    /// What only the browser's cookie holds.
    pub secret: Secret<Vec<u8>>,
    /// As typed.
    pub new_password: Secret<String>,
    /// From the form.
    pub command: CommandId,
    /// What the browser's device cookie holds, or will hold.
    pub device: Option<[u8; 32]>,
}

impl App {
    /// Sets a new password: the hash and PasswordChanged in one statement. Answers where that stands; a repeated form
    /// gets the first answer.
    ///
    /// # Errors
    /// [`Error::Flow`] when the log does not hold the evidence, [`Error::Password`] for one that may not be set.
    pub async fn set_password(&self, change: PasswordChange) -> Result<Position, Error> {
        let flow = Flow::fold(&self.log.flow(change.flow).await?)?;
        // Before anything else is told or computed.
        let account = flow.open_with(change.secret.expose())?.account;
        let shortest = self.rules.new_passwords.shortest;
        let new_password = NewPassword::read(&change.new_password, shortest).map_err(Error::Password)?;
        let digest = self.form_digest(&change, &new_password);
        let early = newest_cuts(&self.log, account).await?;
        // Read after the cuts: of two clicks at once, one may have met the cut that is the other's.
        let entries = self.log.flow(change.flow).await?;
        if let Some(first) = first_answer(&entries, digest) {
            return Ok(first);
        }
        Flow::fold(&entries)?.evidence(Mint::Reset, early, self.log.now())?;
        self.refuse_guessable(account, new_password.clone()).await?;
        self.refuse_the_same(account, &new_password).await?;
        let phc = self.pool.hash(new_password, entropy::bytes()).await?;
        let hash = self.keys.pepper.seal(account, &phc)?;
        // Again: whoever waited for the pool may have been cut meanwhile.
        let cuts = newest_cuts(&self.log, account).await?;
        let device = self.device(account, change.device);
        let context = Context {
            digest: Some(digest),
            via: Via::Function {
                name: "credentials.set_password",
                arguments: Arc::new(store::hash(hash)),
                grouped: false,
            },
            ..context(account, Some(change.flow))
        };
        let decided = self
            .log
            .decide::<Account, Stopped>(&context, |facts| {
                let (minted, proof) = evidence(facts, cuts)?;
                let command = Command::SetPassword {
                    evidence: [minted.position, proof.position],
                    not_after: proof.good_until(),
                    device,
                };
                decide(&facts.state, facts.now, command).map_err(Stopped::Rejected)
            })
            .await?;
        match decided {
            Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. } => Ok(recorded.position),
            Decided::Nothing(_) => Err(Error::Broken("a new password was not recorded")),
        }
    }

    /// Only for who holds an accepted code: it costs some milliseconds of a core.
    async fn refuse_guessable(&self, account: StreamId, new_password: NewPassword) -> Result<(), Error> {
        let person = self.store.person(account).await?;
        let own = person
            .iter()
            .flat_map(|person| [person.login_id.as_str(), &person.facility, &person.name]);
        let of_this_system = self.rules.new_passwords.words.iter().map(String::as_str);
        let shortest = self.rules.new_passwords.shortest;
        let blocklist = Blocklist::new(own.chain(of_this_system), shortest);
        let checked = self.pool.check(new_password, blocklist).await?;
        checked.map_err(Error::Password)
    }

    /// A password that others have seen, or that is used up, must not be set again. Told to who has proved the address only.
    async fn refuse_the_same(&self, account: StreamId, new_password: &NewPassword) -> Result<(), Error> {
        let password = self.log.load::<Account>(account).await?.state.password();
        if password.initial_since.is_none() && !password.expired {
            return Ok(());
        }
        let Some(stored) = self.store.password(account).await? else {
            return Ok(());
        };
        let is_the_same = if stored.hash.is_with_former() {
            self.is_of_former(account, new_password).await?
        } else {
            let phc = self.keys.pepper.open(account, &stored.hash)?;
            let typed = TypedPassword::Comparable(new_password.secret().clone());
            self.pool.compare(typed, phc).await?
        };
        if is_the_same {
            return Err(Error::Password(PasswordError::Unchanged));
        }
        Ok(())
    }

    /// Whether the former system takes a password for the account. It is asked about what opens nothing here: whoever has proved
    /// the address sets it in a moment, or not.
    async fn is_of_former(&self, account: StreamId, new_password: &NewPassword) -> Result<bool, Error> {
        let row = self.store.row_of(account).await?;
        match row.map(|row| TypedLogin::read(&row.login_id)) {
            Some(TypedLogin::Possible(login)) => self.former_accepts(&login, new_password.secret()).await,
            Some(TypedLogin::Impossible(_)) | None => Ok(false),
        }
    }

    /// Over a keyed digest of the password: the form's id is not secret enough to hide one behind a fast hash.
    fn form_digest(&self, change: &PasswordChange, new_password: &NewPassword) -> [u8; 32] {
        let password = self.keys.phantoms.digest_of(new_password.secret().expose());
        change.command.digest(&[change.flow.0.as_bytes(), &password])
    }
}

/// The evidence, on what the log holds at the moment of deciding. The account's own cuts are in the state; those of
/// its sessions were read before.
fn evidence(facts: &Facts<Account>, cuts: Cuts) -> Result<(Minted, Proof), Stopped> {
    let flow = Flow::fold(&facts.flow).map_err(|error| Stopped::Failed(error.into()))?;
    let cuts = cuts.and(facts.state.history.cuts);
    flow.evidence(Mint::Reset, cuts, facts.now)
        .map_err(|refusal: Refusal| Stopped::Failed(refusal.into()))
}

fn first_answer(entries: &[Entry], digest: [u8; 32]) -> Option<Position> {
    let same = |entry: &&Entry| entry.kind == Kind::Account && entry.metadata().command_digest == digest;
    entries.iter().find(same).map(|entry| entry.recorded.position)
}
