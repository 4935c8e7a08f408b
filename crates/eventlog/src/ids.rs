//! A newtype per id and number of the log.

use std::fmt;

use time::OffsetDateTime;
use uuid::{Builder, Uuid};

use sekisho_service::entropy;

/// Where an entry stands in the log: 1, 2, 3 … without gaps. 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// Where an entry stands in its stream: 1, 2, 3 … without gaps. 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u64);

impl Version {
    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A stream of one kind: an account id, a phantom id, a hashed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub Uuid);

/// The id of one event, a UUIDv7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId(pub Uuid);

impl EventId {
    /// A new id.
    pub fn new(now: OffsetDateTime) -> Self {
        let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        Self(Builder::from_unix_timestamp_millis(millis, &entropy::bytes()).into_uuid())
    }
}

/// One way of a person through a sign-in or a reset, a UUIDv8: the upper 48 bits are the head of the log when the
/// flow was minted, so that all its entries are found without a search through the whole log; the rest is random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlowId(pub Uuid);

impl FlowId {
    /// A new flow, minted when `head` was the last position known.
    pub fn mint(head: Position) -> Self {
        let mut bytes: [u8; 16] = entropy::bytes();
        bytes[..6].copy_from_slice(&head.0.to_be_bytes()[2..]);
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// No entry of the flow stands at or before this position.
    pub fn minted_after(self) -> Position {
        let bytes = self.0.as_bytes();
        let mut position = [0; 8];
        position[2..].copy_from_slice(&bytes[..6]);
        Position(u64::from_be_bytes(position))
    }
}

/// Bytes that are not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of 16 bytes")]
pub struct IdError;

macro_rules! bytes_and_text {
    ($($id:ident)+) => {$(
        impl $id {
            /// The 16 bytes, as they travel in protobuf.
            pub fn to_vec(self) -> Vec<u8> {
                self.0.as_bytes().to_vec()
            }
        }

        impl TryFrom<&[u8]> for $id {
            type Error = IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                Uuid::from_slice(bytes).map(Self).map_err(|_| IdError)
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}
bytes_and_text!(StreamId EventId FlowId);

macro_rules! number {
    ($($number:ident)+) => {$(
        impl $number {
            /// As PostgreSQL stores it.
            pub(crate) fn to_sql(self) -> i64 {
                i64::try_from(self.0).unwrap_or(i64::MAX)
            }

            /// From what PostgreSQL stores; a negative number is 0.
            pub(crate) fn from_sql(value: i64) -> Self {
                Self(u64::try_from(value).unwrap_or_default())
            }
        }

        impl fmt::Display for $number {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}
number!(Position Version);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_id_carries_the_head_at_which_it_was_minted() {
        let head = Position(0x0000_1234_5678_9abc);
        let flow = FlowId::mint(head);
        assert_eq!(flow.minted_after(), head);
        assert_eq!(flow.0.get_version_num(), 8);
        assert_ne!(flow, FlowId::mint(head));
    }

    #[test]
    fn bytes_of_another_length_are_no_id() {
        assert_eq!(FlowId::try_from(&[1_u8, 2][..]), Err(IdError));
    }
}
