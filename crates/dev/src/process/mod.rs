//! Child processes that end with us, write a log file each, and can be told from every other process.

mod identity;
mod keeper;
mod spawn;
pub mod user;

pub(crate) use identity::send;
pub use identity::{Identity, descendants};
pub use spawn::{Spawned, Spec};
pub(crate) use spawn::{clean, describe};
