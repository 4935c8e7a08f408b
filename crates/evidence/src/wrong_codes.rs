//! Wrong codes in a row, and what they shut: the second step of an account for a while, or until somebody pardons (screens
//! 2.4, S9).
//!
//! The rule that shuts is that of the service of codes. What an event shut is read from the event alone, so whoever folds it
//! need not know the limits of then.

use prost::Message;
use sekisho_eventlog::{Fold, Log, Position, ReadError, Recorded, StreamId};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1::codes_state as proto;
use sekisho_proto::otp::v1::{CodeRejected, CodesState, Purpose};
use sekisho_proto::{from_timestamp, to_timestamp};
use time::{Duration, OffsetDateTime};

/// The version of the state that `code` entries carry.
pub const CODES_FOLD: u32 = 4;

/// What counts together. What strangers do in resets shuts nothing but their resets: neither a sign-in, nor a reset that began
/// with the right password or in a browser that the account knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    purpose: Purpose,
    proved: bool,
}

/// Wrong codes in a row of one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InARow {
    bucket: Bucket,
    times: u32,
    /// Where the newest stands.
    newest: Position,
    locked_until: Option<OffsetDateTime>,
    is_closed: bool,
}

/// What keeps a bucket shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// For a while.
    Locked {
        /// From then on it is open.
        until: OffsetDateTime,
    },
    /// Until somebody pardons.
    Closed,
}

/// The wrong codes of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrongCodes(Vec<InARow>);

impl Bucket {
    /// The bucket of a code. Whoever signs in has proved to know the password.
    pub fn of(purpose: Purpose, proved: bool) -> Self {
        let proved = proved || purpose == Purpose::SignIn;
        Self { purpose, proved }
    }

    /// What its codes are for.
    pub fn purpose(self) -> Purpose {
        self.purpose
    }

    /// Whether its flows began with the right password, or in a browser that the account knows.
    pub fn is_proved(self) -> bool {
        self.proved
    }
}

impl WrongCodes {
    /// How many in a row, since a pardon that stands at a position.
    pub fn in_a_row(&self, bucket: Bucket, pardon: Position) -> u32 {
        self.counted(bucket, pardon).map_or(0, |row| row.times)
    }

    /// What keeps a bucket shut at a moment, after a pardon that stands at a position.
    pub fn shut(&self, bucket: Bucket, pardon: Position, now: OffsetDateTime) -> Option<Shut> {
        let row = self.counted(bucket, pardon)?;
        if row.is_closed {
            return Some(Shut::Closed);
        }
        let until = row.locked_until.filter(|until| now < *until)?;
        Some(Shut::Locked { until })
    }

    /// Whether there is anything that a pardon would end.
    pub fn needs_pardon(&self, pardon: Position) -> bool {
        self.0.iter().any(|row| row.newest > pardon)
    }

    /// After an event of kind `code`.
    pub fn note(&mut self, event: &CodeEvent, recorded: &Recorded) {
        match event {
            CodeEvent::CodeRejected(rejected) => {
                let bucket = Bucket::of(rejected.purpose(), rejected.proved);
                self.forget(bucket);
                self.0.push(InARow {
                    bucket,
                    times: rejected.in_a_row,
                    newest: recorded.position,
                    locked_until: lock(rejected).map(|lock| recorded.recorded_at.saturating_add(lock)),
                    is_closed: rejected.closes,
                });
            }
            CodeEvent::CodeAccepted(accepted) => {
                self.forget(Bucket::of(accepted.purpose(), accepted.proved));
            }
            CodeEvent::CodeIssued(_)
            | CodeEvent::CodeRefused(_)
            | CodeEvent::MailStarted(_)
            | CodeEvent::Mailed(_)
            | CodeEvent::MailFailed(_)
            | CodeEvent::FlowCancelled(_) => {}
        }
    }

    /// As `code` entries carry it.
    pub fn carry(&self) -> Vec<proto::WrongCodes> {
        self.0.iter().map(written).collect()
    }

    /// From what `code` entries carry; `None` for what no version has written.
    pub fn resume(carried: &[proto::WrongCodes]) -> Option<Self> {
        carried.iter().map(read).collect::<Option<_>>().map(Self)
    }

    fn counted(&self, bucket: Bucket, pardon: Position) -> Option<&InARow> {
        self.0
            .iter()
            .find(|row| row.bucket == bucket && row.newest > pardon)
    }

    fn forget(&mut self, bucket: Bucket) {
        self.0.retain(|row| row.bucket != bucket);
    }
}

fn lock(rejected: &CodeRejected) -> Option<Duration> {
    let lock = std::time::Duration::try_from(rejected.lock?).ok()?;
    lock.try_into().ok()
}

fn written(row: &InARow) -> proto::WrongCodes {
    proto::WrongCodes {
        purpose: row.bucket.purpose.into(),
        proved: row.bucket.proved,
        in_a_row: row.times,
        position: row.newest.0,
        locked_until: row.locked_until.map(to_timestamp),
        closed: row.is_closed,
    }
}

fn read(row: &proto::WrongCodes) -> Option<InARow> {
    let locked_until = match &row.locked_until {
        None => None,
        Some(until) => Some(from_timestamp(until)?),
    };
    Some(InARow {
        bucket: Bucket::of(row.purpose(), row.proved),
        times: row.in_a_row,
        newest: Position(row.position),
        locked_until,
        is_closed: row.closed,
    })
}

impl Fold for WrongCodes {
    type Event = CodeEvent;
    const VERSION: u32 = CODES_FOLD;

    fn evolve(mut self, event: &CodeEvent, recorded: &Recorded) -> Self {
        self.note(event, recorded);
        self
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        Self::resume(&CodesState::decode(bytes).ok()?.wrong_codes)
    }
}

/// The wrong codes of an account, read from the log now.
///
/// # Errors
/// [`ReadError`].
pub async fn wrong_codes(log: &Log, account: StreamId) -> Result<WrongCodes, ReadError> {
    Ok(log.load::<WrongCodes>(account).await?.state)
}
