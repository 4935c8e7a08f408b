//! The whole rule book of sessions. Pure: time, ids, digests and evidence come in.
//!
//! Two folds of the same log, for two questions:
//!
//! - [`AccountSessions`], one stream, decides commands ([`decide`]);
//! - [`Directory`], all streams, answers whether a token is a live session ([`Directory::standing`]).

mod command;
mod digest;
mod directory;
mod history;
mod ids;
mod kept;
mod limits;
mod member;
mod moment;
mod session;
mod state;
mod table;
mod token;
mod tombstone;
mod what;
mod why;

pub use command::{Command, Rejection, Start, decide};
pub use digest::StateDigest;
pub use directory::{Activity, Directory, Ending, snapshot_version};
pub use history::{DEEDS_SHOWN, Happening, history};
pub use ids::SessionId;
pub use kept::Keep;
pub use limits::{Limits, Live};
pub use session::{Session, Stage};
pub use state::{AccountSessions, OpenSession, ROOM};
pub use token::{Token, TokenDigest};
pub use tombstone::{Told, Tombstone, Tombstones};
pub use what::{ATTEMPTS, DEEDS, What};
pub use why::Why;

#[cfg(test)]
mod testing;
