//! What each event does to the directory.

use sekisho_eventlog::{Entry, Position, Recorded, StreamId};
use sekisho_evidence::{Cuts, Refusal};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent, SystemEvent};
use sekisho_proto::sessions::v1::{SessionExtended, SessionStarted};
use sekisho_proto::{EventError, Kind};
use time::OffsetDateTime;

use super::Directory;
use crate::domain::ids::SessionId;
use crate::domain::member::Member;
use crate::domain::session::{Session, Stage};
use crate::domain::state::{OpenSession, activity};
use crate::domain::token::TokenDigest;
use crate::domain::why::Why;

impl Directory {
    /// Folds one more entry.
    ///
    /// # Errors
    /// [`EventError`] for an entry that this version does not understand. It is folded all the same: as the worst that
    /// it could be to its account, and as nothing to others.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), EventError> {
        let understood = self.fold_event(entry);
        if understood.is_err() {
            let account = entry.recorded.stream;
            self.set_cuts(account, self.own_cuts(account).and(worst(entry)));
            if entry.kind == Kind::Session && self.undecidable.insert(account) {
                self.digest.add(Member::undecidable(account).as_bytes());
            }
        }
        self.forget(entry.recorded.recorded_at);
        understood
    }

    fn fold_event(&mut self, entry: &Entry) -> Result<(), EventError> {
        match entry.kind {
            Kind::Account => self.fold_account(&entry.event()?, &entry.recorded),
            Kind::Code => self.fold_code(&entry.event()?, &entry.recorded),
            Kind::Session => self.fold_session(&entry.event()?, &entry.recorded),
            Kind::System => self.fold_system(&entry.event()?, &entry.recorded),
            Kind::Client | Kind::Audit => {}
        }
        Ok(())
    }

    fn fold_account(&mut self, event: &AccountEvent, recorded: &Recorded) {
        let before = self.own_cuts(recorded.stream);
        self.set_cuts(recorded.stream, before.after_account(event, recorded.position));
    }

    fn fold_code(&mut self, event: &CodeEvent, recorded: &Recorded) {
        match event {
            CodeEvent::FlowCancelled(_) => {
                if let Some(flow) = recorded.flow
                    && self.cancelled.push(recorded.recorded_at, flow)
                {
                    self.digest
                        .add(Member::cancelled(recorded.recorded_at, flow).as_bytes());
                }
            }
            CodeEvent::CodeIssued(_)
            | CodeEvent::CodeRefused(_)
            | CodeEvent::MailStarted(_)
            | CodeEvent::Mailed(_)
            | CodeEvent::MailFailed(_)
            | CodeEvent::CodeRejected(_)
            | CodeEvent::CodeAccepted(_) => {}
        }
    }

    fn fold_session(&mut self, event: &SessionEvent, recorded: &Recorded) {
        let before = self.own_cuts(recorded.stream);
        self.set_cuts(recorded.stream, before.after_session(event, recorded.position));
        match event {
            SessionEvent::SessionStarted(started) => {
                for id in &started.ended {
                    self.end(id, Why::Displaced, recorded);
                }
                self.start(started, recorded);
            }
            SessionEvent::SessionExtended(extended) => self.extend(extended, recorded),
            SessionEvent::SessionEnded(ended) => {
                for id in &ended.session_ids {
                    self.end(id, ended.why().into(), recorded);
                }
            }
            SessionEvent::SessionsCut(_) => {}
        }
    }

    fn fold_system(&mut self, event: &SystemEvent, recorded: &Recorded) {
        match event {
            SystemEvent::EpochStarted(_) => {
                if self.epoch > Position(0) {
                    self.digest.remove(Member::epoch(self.epoch).as_bytes());
                }
                self.epoch = recorded.position;
                self.digest.add(Member::epoch(self.epoch).as_bytes());
            }
            SystemEvent::ClockAccepted(_) | SystemEvent::MaintenanceChanged(_) => {}
        }
    }

    fn start(&mut self, event: &SessionStarted, recorded: &Recorded) {
        let Some(started) = OpenSession::of(event, recorded) else {
            return;
        };
        let cuts = self.cuts_of(recorded.stream);
        let stage = if self.cancelled.contains(started.flow) {
            Stage::Stillborn(Refusal::Cancelled)
        } else if cuts.flow_lives(started.minted) {
            Stage::Open
        } else {
            Stage::Stillborn(Refusal::Cut)
        };
        // Nobody derives one token twice, nor one id; of a log that says so the newer one counts.
        self.drop_session(started.token);
        if let Some(token) = self.with_id(started.id).map(|before| before.token) {
            self.drop_session(token);
        }
        let session = Session::new(started, recorded.stream, stage);
        self.digest.add(Member::session(&session).as_bytes());
        self.sessions.insert(session);
    }

    fn extend(&mut self, event: &SessionExtended, recorded: &Recorded) {
        let Some(active_at) = activity(event) else { return };
        self.change(&event.session_id, recorded.stream, |session| {
            session.extend(active_at);
        });
    }

    fn end(&mut self, id: &[u8], why: Why, recorded: &Recorded) {
        let over = |session: &mut Session| session.stage = Stage::Over(why);
        if let Some(token) = self.change(id, recorded.stream, over) {
            self.digest
                .add(Member::ended(recorded.recorded_at, token).as_bytes());
            self.ended.push(recorded.recorded_at, token);
        }
    }

    /// Changes a session without a recorded end, of the account in whose stream an event names it.
    fn change(
        &mut self,
        id: &[u8],
        account: StreamId,
        change: impl FnOnce(&mut Session),
    ) -> Option<TokenDigest> {
        let session = self.sessions.with_id_mut(SessionId::try_from(id).ok()?)?;
        let own = session.account == account && !matches!(session.stage, Stage::Over(_));
        own.then(|| {
            self.digest.remove(Member::session(session).as_bytes());
            change(session);
            self.digest.add(Member::session(session).as_bytes());
            session.token
        })
    }

    fn forget(&mut self, now: OffsetDateTime) {
        while let Some((at, flow)) = self.cancelled.pop(now) {
            self.digest.remove(Member::cancelled(at, flow).as_bytes());
        }
        while let Some((at, token)) = self.ended.pop(now, self.keep) {
            self.digest.remove(Member::ended(at, token).as_bytes());
            self.drop_session(token);
        }
    }

    fn drop_session(&mut self, token: TokenDigest) {
        if let Some(session) = self.sessions.remove(token) {
            self.digest.remove(Member::session(&session).as_bytes());
        }
    }

    /// Most accounts have no cut and take no memory.
    fn set_cuts(&mut self, account: StreamId, cuts: Cuts) {
        if cuts == self.own_cuts(account) {
            return;
        }
        if let Some(before) = self.cuts.insert(account, cuts) {
            self.digest.remove(Member::cuts(account, before).as_bytes());
        }
        self.digest.add(Member::cuts(account, cuts).as_bytes());
    }
}

/// What an event could do at the most. Those of kind `code` end flows and never a session.
fn worst(entry: &Entry) -> Cuts {
    let position = entry.recorded.position;
    let all = match entry.kind {
        Kind::Account | Kind::Session => position,
        Kind::Code | Kind::Client | Kind::System | Kind::Audit => Position(0),
    };
    Cuts { all, flows: position }
}
