//! The directory as bytes, and the directory from them.

use sekisho_eventlog::Position;

use super::Directory;
use crate::domain::member::{LONGEST, Member, Remembered};

/// The version of everything that a snapshot depends on: how entries are folded, what is remembered of them, and the bytes
/// of each member. Goes up with every change of these, and snapshots of other versions are of no use.
pub const SNAPSHOT_VERSION: u32 = 1;

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
