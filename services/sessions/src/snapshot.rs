//! A snapshot: what a replica remembered at one position, in pieces, sealed by a key that the database does not hold.
//!
//! Nothing of a piece is read before its hash is right, and no hash is believed before the tag is.

use sekisho_eventlog::{EventId, Position};
use sha2::{Digest as _, Sha256};

use crate::domain::{Directory, snapshot_version};
use crate::keys::{Keys, Tag};

const HASH: usize = 32;

/// Everything about a snapshot but its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Everything up to this entry is in it.
    pub position: Position,
    /// The event of that entry.
    pub event_id: EventId,
    /// Where the newest EpochStarted before it stands; 0 before the first.
    pub epoch: Position,
    /// Of the code that took it.
    pub version: u64,
    /// Of the state.
    pub digest: Vec<u8>,
    /// SHA-256 of each piece, one after the other.
    pub piece_hashes: Vec<u8>,
}

/// Why a snapshot is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("it is stale: another version of this program took it")]
    Stale,
    #[error("it is forged: no key of ours has sealed it")]
    Forged,
    #[error("it is foreign: it was taken of another log")]
    Foreign,
    #[error("it is damaged: what it holds is not what was sealed")]
    Damaged,
}

impl Manifest {
    /// The tag by which other replicas believe it.
    pub fn seal(&self, keys: &Keys) -> Tag {
        keys.tag(&self.parts().each_ref().map(Vec::as_slice))
    }

    /// Whether it is of this version and one of us has sealed it.
    pub fn check(&self, tag: &Tag, keys: &Keys) -> Result<(), Unusable> {
        if self.version != snapshot_version() {
            return Err(Unusable::Stale);
        }
        let is_ours = keys.believe(tag, &self.parts().each_ref().map(Vec::as_slice));
        is_ours.then_some(()).ok_or(Unusable::Forged)
    }

    /// How many pieces it has.
    pub fn pieces(&self) -> usize {
        self.piece_hashes.len() / HASH
    }

    /// Takes the next piece into the directory that is being made of them.
    pub fn add(&self, number: usize, piece: &[u8], directory: &mut Directory) -> Result<(), Unusable> {
        let expected = self.piece_hashes.chunks_exact(HASH).nth(number);
        let is_it = expected == Some(Sha256::digest(piece).as_slice());
        is_it
            .then(|| directory.remember(piece))
            .flatten()
            .ok_or(Unusable::Damaged)
    }

    /// The directory, once all pieces are in it.
    pub fn finish(&self, directory: Directory) -> Result<Directory, Unusable> {
        let is_whole = directory.digest().to_vec() == self.digest;
        is_whole.then_some(directory).ok_or(Unusable::Damaged)
    }

    fn parts(&self) -> [Vec<u8>; 6] {
        [
            self.position.0.to_be_bytes().to_vec(),
            self.event_id.to_vec(),
            self.epoch.0.to_be_bytes().to_vec(),
            self.version.to_be_bytes().to_vec(),
            self.digest.clone(),
            self.piece_hashes.clone(),
        ]
    }
}

/// The hashes of pieces, as a manifest has them.
pub(crate) fn hashes(pieces: &[Vec<u8>]) -> Vec<u8> {
    pieces.iter().flat_map(Sha256::digest).collect()
}

#[cfg(test)]
mod tests {
    use sekisho_service::settings::KeyRing;
    use uuid::Uuid;

    use super::*;

    fn keys(byte: u8) -> Keys {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("a {}\n", format!("{byte:02x}").repeat(32))).unwrap();
        Keys::new(KeyRing::read(file.path()).unwrap())
    }

    /// A snapshot of an epoch and nothing else.
    fn manifest() -> (Manifest, Vec<u8>, Directory) {
        let piece = b"p\0\0\0\0\0\0\0\x05".to_vec();
        let mut directory = Directory::default();
        directory.remember(&piece).unwrap();
        let manifest = Manifest {
            position: Position(7),
            event_id: EventId(Uuid::from_u128(7)),
            epoch: Position(5),
            version: snapshot_version(),
            digest: directory.digest().to_vec(),
            piece_hashes: hashes(std::slice::from_ref(&piece)),
        };
        (manifest, piece, directory)
    }

    #[test]
    fn a_snapshot_that_one_of_us_has_sealed_is_read() {
        let (manifest, piece, expected) = manifest();
        assert_eq!(manifest.check(&manifest.seal(&keys(1)), &keys(1)), Ok(()));
        assert_eq!(manifest.pieces(), 1);
        let mut directory = Directory::default();
        manifest.add(0, &piece, &mut directory).unwrap();
        assert_eq!(manifest.finish(directory), Ok(expected));
    }

    #[test]
    fn whoever_changes_anything_needs_the_key() {
        let (ours, _, _) = manifest();
        let tag = ours.seal(&keys(1));
        let changes: [fn(&mut Manifest); 5] = [
            |manifest| manifest.position.0 += 1,
            |manifest| manifest.event_id = EventId(Uuid::from_u128(8)),
            |manifest| manifest.epoch.0 += 1,
            |manifest| manifest.digest[0] ^= 1,
            |manifest| manifest.piece_hashes[0] ^= 1,
        ];
        for change in changes {
            let mut forged = ours.clone();
            change(&mut forged);
            assert_eq!(forged.check(&tag, &keys(1)), Err(Unusable::Forged));
        }
        assert_eq!(ours.check(&ours.seal(&keys(2)), &keys(1)), Err(Unusable::Forged));
    }

    #[test]
    fn another_version_is_stale_whoever_has_sealed_it() {
        let (mut older, _, _) = manifest();
        older.version -= 1;
        let tag = older.seal(&keys(1));
        assert_eq!(older.check(&tag, &keys(1)), Err(Unusable::Stale));
        // Nor is it of this version because somebody says so.
        older.version = snapshot_version();
        assert_eq!(older.check(&tag, &keys(1)), Err(Unusable::Forged));
    }

    #[test]
    fn a_piece_that_is_not_the_sealed_one_is_not_read() {
        let (manifest, piece, _) = manifest();
        let mut directory = Directory::default();
        for (number, damaged) in [(0, &piece[1..]), (0, b""), (1, &piece)] {
            assert_eq!(
                manifest.add(number, damaged, &mut directory),
                Err(Unusable::Damaged)
            );
        }
        assert_eq!(directory, Directory::default());
        assert_eq!(manifest.finish(directory), Err(Unusable::Damaged));
    }

    #[test]
    fn a_piece_that_says_nothing_is_damaged_though_it_is_sealed() {
        let (mut manifest, _, _) = manifest();
        manifest.piece_hashes = hashes(&[b"nonsense".to_vec()]);
        let added = manifest.add(0, b"nonsense", &mut Directory::default());
        assert_eq!(added, Err(Unusable::Damaged));
    }
}
