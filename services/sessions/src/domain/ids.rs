//! The id of a session.

use std::fmt;

use sekisho_eventlog::IdError;
use time::OffsetDateTime;
use uuid::{Builder, Uuid};

/// The id of one session, a UUIDv7. Names the session in events and logs; it opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// The id of a session that starts `now`.
    pub fn new(now: OffsetDateTime, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The 16 bytes, as they travel in protobuf.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }
}

impl TryFrom<&[u8]> for SessionId {
    type Error = IdError;

    fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
        Uuid::from_slice(bytes).map(Self).map_err(|_| IdError)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
