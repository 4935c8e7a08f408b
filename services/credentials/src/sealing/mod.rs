//! What the log keeps of a person's browser, readable only with the account's key.
//!
//! ```text
//! master key (file, by id) ──wraps──▶ personal key (table, one per account) ──seals──▶ Client (in the event)
//! phantom key (file) ──HMAC, per month──▶ key of all phantoms               ──seals──▶ Client
//! ```

mod aead;
mod client;
mod derive;
mod personal;
mod phantom;

pub use aead::SealError;
pub use client::Seen;
pub use personal::{PersonalKey, Wrapped};
pub use phantom::Phantoms;

#[cfg(test)]
mod tests;
