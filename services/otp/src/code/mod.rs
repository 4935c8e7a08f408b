//! The digits of a code: derived when they are mailed and again when they are compared, never stored.

mod derive;
mod digits;
mod reference;
mod typed;
#[cfg(test)]
mod uniform_tests;

pub use derive::{KeyMissing, Keys, Owner};
pub use digits::Digits;
pub use reference::reference;
pub use typed::{Malformed, read_typed};
