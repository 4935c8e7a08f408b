//! The bytes of an entry as they are hashed: docs/log-format.md, "The bytes of an entry".

use crate::entry::Entry;

/// The version of the format; it is the first byte.
pub const LEAF_FORMAT: u8 = 1;

/// The largest leaf: names and ids and 8 kB of payload and metadata; far below the 65,535 bytes of an entry bundle
/// (C2SP tlog-tiles).
const CAPACITY: usize = 256;

impl Entry {
    /// The bytes that the tree of all entries is made of, from the columns as they stand in the log.
    ///
    /// They are never defined anew: a change would be a new [`LEAF_FORMAT`] for entries from some position on.
    pub fn leaf_bytes(&self) -> Vec<u8> {
        let (payload, metadata) = self.stored();
        let recorded = &self.recorded;
        let micros = recorded.recorded_at.unix_timestamp_nanos().div_euclid(1_000);
        let mut leaf = Leaf(Vec::with_capacity(CAPACITY + payload.len() + metadata.len()));
        leaf.0.push(LEAF_FORMAT);
        leaf.number(recorded.position.to_sql());
        leaf.bytes(self.kind.as_str().as_bytes());
        leaf.bytes(recorded.stream.0.as_bytes());
        leaf.number(recorded.version.to_sql());
        leaf.bytes(recorded.event_id.0.as_bytes());
        leaf.bytes(recorded.flow.as_ref().map_or(&[], |flow| flow.0.as_bytes()));
        leaf.bytes(self.event_type.as_bytes());
        leaf.number(i64::try_from(micros).unwrap_or(i64::MAX));
        leaf.bytes(payload);
        leaf.bytes(metadata);
        leaf.0
    }
}

struct Leaf(Vec<u8>);

impl Leaf {
    fn number(&mut self, number: i64) {
        self.0.extend(number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend(length.to_be_bytes());
        self.0.extend(bytes);
    }
}

#[cfg(test)]
mod tests {
    use sekisho_proto::Kind;
    use sekisho_proto::log::v1::{Metadata, Payload};
    use sha2::{Digest, Sha256};
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::entry::Recorded;
    use crate::ids::{EventId, FlowId, Position, StreamId, Version};

    /// The vector of docs/log-format.md.
    const VECTOR: &str = "
        01
        0000000001000001
        00000004 636f6465
        00000010 00112233445566778899aabbccddeeff
        0000000000000007
        00000010 018f3e2a4b5c7d6e8f90a1b2c3d4e5f6
        00000010 0000010000008a5b9c6d7e8f90a1b2c3
        0000000b 636f64655f697373756564
        000660da66902440
        00000005 0a03010203
        0000000c 0a036f747012056f74702f31";

    /// SHA-256(0x00 ‖ leaf), RFC 6962, 2.1.
    const LEAF_HASH: &str = "f14e4557475bf2b590c01faef6a31c5b2c4aa5e841aa1baae38a636a0b6b0beb";

    fn entry(flow: Option<FlowId>) -> Entry {
        let recorded = Recorded {
            position: Position(16_777_217),
            version: Version(7),
            stream: StreamId(Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)),
            event_id: EventId(Uuid::from_u128(0x018f_3e2a_4b5c_7d6e_8f90_a1b2_c3d4_e5f6)),
            flow,
            recorded_at: OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(1_795_341_000_123_456),
        };
        let payload = Payload {
            event: vec![1, 2, 3],
            carried: None,
        };
        let metadata = Metadata {
            actor: "otp".to_owned(),
            service: "otp/1".to_owned(),
            ..Metadata::default()
        };
        Entry::new(recorded, Kind::Code, "code_issued".to_owned(), payload, &metadata)
    }

    const FLOW: FlowId = FlowId(Uuid::from_u128(0x0000_0100_0000_8a5b_9c6d_7e8f_90a1_b2c3));

    fn hex(bytes: &[u8]) -> String {
        let digits = |byte: &u8| {
            [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        };
        bytes.iter().flat_map(digits).collect()
    }

    #[test]
    fn the_bytes_of_an_entry_are_those_of_the_document() {
        let expected: String = VECTOR.split_whitespace().collect();
        let leaf = entry(Some(FLOW)).leaf_bytes();
        assert_eq!(hex(&leaf), expected);
        let hash = Sha256::new().chain_update([0]).chain_update(&leaf).finalize();
        assert_eq!(hex(&hash), LEAF_HASH);
    }

    #[test]
    fn an_entry_without_a_flow_has_an_empty_one() {
        let with = entry(Some(FLOW)).leaf_bytes();
        let without = entry(None).leaf_bytes();
        assert_eq!(with.len() - without.len(), 16);
        assert_ne!(with, without);
    }
}
