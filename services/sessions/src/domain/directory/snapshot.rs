//! The directory as bytes, and the directory from them.

use sekisho_eventlog::Position;
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent, SystemEvent};
use sha2::{Digest as _, Sha256};

use super::Directory;
use crate::domain::member::{LONGEST, Member, Remembered};

/// Goes up with every change of how entries are folded, of what is remembered of them, and of the bytes of each member.
pub(super) const VERSION: u32 = 1;

/// The version of everything that a snapshot depends on; one of another version is of no use. An event that this version
/// does not understand is folded as the worst that it could be, so the events that it knows are a part of it.
pub fn snapshot_version() -> u64 {
    let known = [
        AccountEvent::TYPES,
        CodeEvent::TYPES,
        SessionEvent::TYPES,
        SystemEvent::TYPES,
    ];
    u64::from(VERSION) << 32 | u64::from(fingerprint(&known))
}

/// The first bits of the SHA-256 of names in order.
fn fingerprint(known: &[&[&str]]) -> u32 {
    let mut hash = Sha256::new();
    for name in known.iter().copied().flatten() {
        hash.update(name);
        hash.update("\n");
    }
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, ..] = digest;
    u32::from_be_bytes([a, b, c, d])
}

impl Directory {
    /// Everything that is remembered, in pieces of so many bytes or a little less; without what only this replica has seen.
    pub fn pieces(&self, bytes: usize) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        let mut piece = Vec::new();
        for member in self.members() {
            let member = member.as_bytes();
            if piece.len() + member.len() > bytes.max(LONGEST) {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.extend_from_slice(member);
        }
        pieces.push(piece);
        pieces
    }

    /// Remembers what a piece says, in the order in which the pieces came; `None` for bytes that are no piece.
    pub fn remember(&mut self, mut piece: &[u8]) -> Option<()> {
        while !piece.is_empty() {
            let before = piece;
            let thing = Remembered::read(&mut piece)?;
            let member = &before[..before.len() - piece.len()];
            self.digest.add(member);
            self.put(thing);
        }
        Some(())
    }

    /// All members of the digest; what is forgotten in order of time comes in that order.
    fn members(&self) -> impl Iterator<Item = Member> {
        let sessions = self.sessions.iter().map(Member::session);
        let cuts = self.cuts.iter();
        let cuts = cuts.map(|(account, cuts)| Member::cuts(*account, *cuts));
        let undecidable = self.undecidable.iter().copied().map(Member::undecidable);
        let ended = self.ended.iter().map(|(at, token)| Member::ended(at, token));
        let cancelled = self.cancelled.iter();
        let cancelled = cancelled.map(|(at, flow)| Member::cancelled(at, flow));
        let epoch = (self.epoch > Position(0)).then(|| Member::epoch(self.epoch));
        sessions
            .chain(cuts)
            .chain(undecidable)
            .chain(ended)
            .chain(cancelled)
            .chain(epoch)
    }

    fn put(&mut self, thing: Remembered) {
        match thing {
            Remembered::Session(session) => self.sessions.insert(session),
            Remembered::Ended(at, token) => self.ended.push(at, token),
            Remembered::Cancelled(at, flow) => {
                self.cancelled.push(at, flow);
            }
            Remembered::Cuts(account, cuts) => {
                self.cuts.insert(account, cuts);
            }
            Remembered::Undecidable(account) => {
                self.undecidable.insert(account);
            }
            Remembered::Epoch(position) => self.epoch = position,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_knows_another_event_takes_snapshots_of_another_version() {
        assert_ne!(fingerprint(&[&["a", "b"]]), fingerprint(&[&["a", "b", "c"]]));
        assert_ne!(fingerprint(&[&["ab"]]), fingerprint(&[&["a", "b"]]));
        assert_ne!(fingerprint(&[&["a"]]), fingerprint(&[&["b"]]));
        assert_eq!(snapshot_version() >> 32, u64::from(VERSION));
        assert_ne!(snapshot_version() & u64::from(u32::MAX), 0);
    }
}
