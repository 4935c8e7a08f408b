//! Certificates, keys and demo accounts for development and tests. Nothing of it is meant for production.

mod accounts;
mod authority;
mod files;
mod keys;

pub use accounts::register;
pub use authority::Authority;
pub use keys::write_keys;
