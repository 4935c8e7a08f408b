//! Limits per client address (screens, part 6): a whole hospital sits behind one, so what counts is the share of failures,
//! and browsers that an account knows are never held up.

mod attempts;
mod federated;
mod refusals;

pub use attempts::{Attempt, Attempts, COUNTED, Excess};
pub use federated::{Unvouched, Unvoucheds};
pub use refusals::{Refusals, Refused};

/// What stands for an address in the log for a day: derived under the key of that day. An IPv6 network of 64 bits, which a
/// single customer has, counts as one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientTag(pub [u8; 16]);

impl ClientTag {
    /// As an event holds it; `None` for an empty one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}
