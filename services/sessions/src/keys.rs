//! What replicas believe each other: tombstones and snapshots, under keys that nobody else has. Whoever has none ends no
//! session by a message and starts none by a snapshot.

use prost::Message as _;
use sekisho_proto::sessions::v1 as proto;
use sekisho_service::mac;
use sekisho_service::settings::KeyRing;
use subtle::ConstantTimeEq as _;

use crate::domain::Tombstone;

/// Separate the uses of a key from each other.
const TOMBSTONE: &str = "sekisho/tombstone/1";
const SNAPSHOT: &str = "sekisho/snapshot/1";

/// The keys of all replicas.
#[derive(Debug, Clone)]
pub struct Keys(KeyRing);

/// By which a snapshot is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// The key, in the key file.
    pub key_id: String,
    /// HMAC-SHA-256.
    pub bytes: Vec<u8>,
}

impl Keys {
    /// Keys of a file that all replicas have.
    pub fn new(ring: KeyRing) -> Self {
        Self(ring)
    }

    /// A tombstone as it travels, under the current key.
    pub fn seal(&self, tombstone: Tombstone) -> Vec<u8> {
        let tombstone = proto::Tombstone::from(tombstone).encode_to_vec();
        let (key_id, key) = self.0.current();
        let sealed = proto::SealedTombstone {
            tag: mac::derive(key, TOMBSTONE, &[&tombstone]).to_vec(),
            key_id: key_id.to_owned(),
            tombstone,
        };
        sealed.encode_to_vec()
    }

    /// The tombstone in a message; `None` if no key of ours has sealed it.
    pub fn open(&self, message: &[u8]) -> Option<Tombstone> {
        let sealed = proto::SealedTombstone::decode(message).ok()?;
        let key = self.0.get(&sealed.key_id)?;
        let tag = mac::derive(key, TOMBSTONE, &[&sealed.tombstone]);
        bool::from(tag.as_slice().ct_eq(&sealed.tag)).then_some(())?;
        Tombstone::read(&proto::Tombstone::decode(sealed.tombstone.as_slice()).ok()?)
    }

    /// The tag of a snapshot under the current key; `parts` are everything that it says.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Tag {
        let (key_id, key) = self.0.current();
        Tag {
            key_id: key_id.to_owned(),
            bytes: mac::derive(key, SNAPSHOT, parts).to_vec(),
        }
    }

    /// Whether one of us has given a snapshot this tag.
    pub(crate) fn believe(&self, tag: &Tag, parts: &[&[u8]]) -> bool {
        let key = self.0.get(&tag.key_id);
        key.is_some_and(|key| {
            mac::derive(key, SNAPSHOT, parts)
                .as_slice()
                .ct_eq(&tag.bytes)
                .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use sekisho_eventlog::{Position, StreamId};
    use uuid::Uuid;

    use super::*;

    fn keys(lines: &[(&str, u8)]) -> Keys {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |(id, byte): &(&str, u8)| format!("{id} {}\n", format!("{byte:02x}").repeat(32));
        std::fs::write(file.path(), lines.iter().map(line).collect::<String>()).unwrap();
        Keys::new(KeyRing::read(file.path()).unwrap())
    }

    const CUT: Tombstone = Tombstone::Cut {
        account: StreamId(Uuid::from_u128(1)),
        upto: Position(7),
    };

    #[test]
    fn a_replica_with_the_key_reads_it_also_after_a_rotation() {
        let message = keys(&[("old", 1)]).seal(CUT);
        assert_eq!(keys(&[("new", 2), ("old", 1)]).open(&message), Some(CUT));
    }

    #[test]
    fn whoever_has_another_key_or_changes_a_byte_is_not_believed() {
        let ours = keys(&[("a", 1)]);
        assert_eq!(ours.open(&keys(&[("a", 2)]).seal(CUT)), None);
        assert_eq!(ours.open(&keys(&[("b", 1)]).seal(CUT)), None);
        let message = ours.seal(CUT);
        for index in 0..message.len() {
            let mut changed = message.clone();
            changed[index] ^= 1;
            assert_eq!(ours.open(&changed), None, "byte {index}");
        }
        assert_eq!(ours.open(b""), None);
    }
}
