//! Whether a token is a live session.

use sekisho_eventlog::{FlowId, Position, StreamId};
use time::OffsetDateTime;

use super::{Error, Inner, Sessions};
use crate::domain::{Directory, Live, Session, SessionId, Stage, TokenDigest, Why};

/// A live session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Its id.
    pub session: SessionId,
    /// Whose it is.
    pub account: StreamId,
    /// The flow that led to it.
    pub flow: FlowId,
    /// Where SessionStarted stands.
    pub position: Position,
    /// When it started, by the log's clock.
    pub started_at: OffsetDateTime,
    /// When it was looked at, by the same clock.
    pub now: OffsetDateTime,
    /// Until when it lives.
    pub live: Live,
    /// When the log was last confirmed, for an answer that cannot be confirmed now: another replica may know better.
    pub last_confirmed_at: Option<OffsetDateTime>,
}

impl Checked {
    pub(super) fn new(session: &Session, live: Live, now: OffsetDateTime) -> Self {
        Self {
            session: session.id,
            account: session.account,
            flow: session.flow,
            position: session.position,
            started_at: session.started_at(),
            now,
            live,
            last_confirmed_at: None,
        }
    }
}

impl Sessions {
    /// Whether a token is a live session; counts as activity if it is.
    ///
    /// An end that this replica knows of is said at once. Everything else waits for the log: that a
    /// session lives, until nothing older than a second is missing; that a token is unknown or a session idle, until nothing
    /// is missing that was committed before the call. While the log gives no answer, a session that is remembered is
    /// believed in for a while; the answer says so.
    ///
    /// # Errors
    /// [`Error::Over`], [`Error::Unknown`]; [`Error::Unconfirmed`] while the log cannot be read, and while another
    /// replica may still be recording activity after an outage.
    pub async fn check(&self, token: &[u8]) -> Result<Checked, Error> {
        let digest = TokenDigest::of(token);
        let mut read_up_to = match self.look_up(digest) {
            Err(Error::Unknown) => self.newest_soon().await?,
            Err(Error::Over(Why::Idle)) if !self.is_ended(digest) => self.newest_soon().await?,
            Err(over) => return Err(over),
            Ok(_) => match self.current_soon().await {
                Err(Error::Unconfirmed) => return self.believe(digest),
                current => current?,
            },
        };
        for _ in 0..2 {
            let touch = |session: &Session, now| session.touch(now, &self.inner.limits);
            let (checked, is_kept) = match self.find(digest, touch) {
                Err(Error::Over(Why::Idle)) if !self.is_surely_idle(digest, read_up_to) => {
                    return Err(Error::Unconfirmed);
                }
                found => found?,
            };
            self.record_urgent(digest).await?;
            if is_kept {
                return Ok(checked);
            }
            // What this replica alone had seen stands in the log now. Once that is folded, this use can follow it.
            read_up_to = self.newest().await?;
        }
        Err(Error::Unconfirmed)
    }

    /// What this replica remembers, as long as nobody knows better. Its use counts as far as it can be recorded later.
    fn believe(&self, digest: TokenDigest) -> Result<Checked, Error> {
        let Inner { log, limits, .. } = &*self.inner;
        let age = self.believed_age().ok_or(Error::Unconfirmed)?;
        let confirmed_at = log.now() - age;
        let found = self.find(digest, |session, now| session.touch(now, limits));
        let (checked, _) = found.map_err(|error| match error {
            // Somebody else may have seen it used.
            Error::Over(Why::Idle) if !self.is_ended(digest) => Error::Unconfirmed,
            error => error,
        })?;
        Ok(Checked {
            last_confirmed_at: Some(confirmed_at),
            ..checked
        })
    }

    /// Whether the log holds the session's end.
    fn is_ended(&self, digest: TokenDigest) -> bool {
        let stage = |directory: &Directory| directory.find(digest).map(|session| session.stage);
        matches!(self.inner.view.ask(stage), Some(Stage::Over(_)))
    }

    /// Whether nobody can know better of a session that looks idle: the log holds its end, or it was idle already at the
    /// moment up to which the log is read, and all others could record what they had seen.
    fn is_surely_idle(&self, digest: TokenDigest, read_up_to: OffsetDateTime) -> bool {
        let Inner { limits, view, .. } = &*self.inner;
        let was_idle = view.ask(|directory| {
            let session = directory.find(digest);
            session.is_none_or(|session| directory.standing(session, read_up_to, limits).is_err())
        });
        self.is_ended(digest) || was_idle && self.knows_idleness()
    }

    /// What this replica knows now.
    pub(super) fn look_up(&self, digest: TokenDigest) -> Result<Checked, Error> {
        self.find(digest, |_, _| ()).map(|(checked, ())| checked)
    }

    /// What this replica knows now; `seen` is told of a session that lives.
    fn find<T>(
        &self,
        digest: TokenDigest,
        seen: impl FnOnce(&Session, OffsetDateTime) -> T,
    ) -> Result<(Checked, T), Error> {
        let Inner {
            log, limits, view, ..
        } = &*self.inner;
        view.ask(|directory| {
            let session = directory.find(digest).ok_or(Error::Unknown)?;
            let now = log.now();
            let standing = || directory.standing(session, now, limits).map_err(Error::Over);
            standing()?;
            if let Some(why) = self.tombstones().end_of(session) {
                return Err(Error::Over(why));
            }
            let seen = seen(session, now);
            Ok((Checked::new(session, standing()?, now), seen))
        })
    }
}
