//! A digest of the whole state that is kept up to date with every change.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The sum of the SHA-256 of all members of a set, in four lanes of 64 bits: neither the order in which they came nor
/// what came and went in between matters. Two folds of one log have equal digests at one position.
///
/// It finds mistakes; against somebody who may choose the members it proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct StateDigest([u64; 4]);

impl StateDigest {
    pub(super) fn add(&mut self, member: &[u8]) {
        for (sum, lane) in self.0.iter_mut().zip(lanes(member)) {
            *sum = sum.wrapping_add(lane);
        }
    }

    pub(super) fn remove(&mut self, member: &[u8]) {
        for (sum, lane) in self.0.iter_mut().zip(lanes(member)) {
            *sum = sum.wrapping_sub(lane);
        }
    }

    /// The 32 bytes, as they travel in protobuf.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.iter().flat_map(|lane| lane.to_be_bytes()).collect()
    }
}

fn lanes(member: &[u8]) -> [u64; 4] {
    let digest: [u8; 32] = Sha256::digest(member).into();
    let mut lanes = [0; 4];
    for (lane, bytes) in lanes.iter_mut().zip(digest.as_chunks::<8>().0) {
        *lane = u64::from_be_bytes(*bytes);
    }
    lanes
}

impl fmt::Debug for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lane| write!(f, "{lane:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_order_nor_what_came_and_went_matters() {
        let (mut one, mut other) = (StateDigest::default(), StateDigest::default());
        one.add(b"a");
        one.add(b"b");
        other.add(b"b");
        other.add(b"c");
        other.add(b"a");
        assert_ne!(one, other);
        other.remove(b"c");
        assert_eq!(one, other);
        assert_ne!(one, StateDigest::default());
    }

    #[test]
    fn it_is_the_sum_of_sha_256() {
        let mut digest = StateDigest::default();
        digest.add(b"");
        let once = digest.to_vec();
        assert_eq!(once, Sha256::digest(b"").to_vec());
    }
}
