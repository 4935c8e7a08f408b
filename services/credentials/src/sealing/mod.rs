//! What the log keeps of a person's browser, readable only with the account's key.
//!
//! ```text
//! master key (file, by id) ──wraps──▶ personal key (table, one per account) ──seals──▶ Client (in the event)
//! master key (file, by id) ──wraps──▶ day key (table, two days)              ──HMAC──▶ mark of the address
//! phantom key (file) ──HMAC──▶ state, nonce and verifier of a question to the provider
//! phantom key (file) ──HMAC, per month──▶ key of all phantoms               ──seals──▶ Client
//! ```

mod client;
mod day;
mod personal;
mod phantom;
mod question;

pub use client::Seen;
pub use day::{DayKeyError, DayKeys, Tags};
pub use personal::{PersonalKey, Wrapped};
pub use phantom::Phantoms;
pub use question::{Asker, Question};
pub use sekisho_service::aead::SealError;

#[cfg(test)]
mod tests;
