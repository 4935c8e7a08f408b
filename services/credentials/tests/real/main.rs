//! Credentials on real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "tests")]

mod administration;
mod carried;
mod clients;
mod combined;
mod describe;
mod explain;
mod former;
mod hang_up;
mod import;
mod initial;
mod life;
mod locks;
mod pepper;
mod rehash;
mod resolve;
mod sealed;
mod set_password;
mod sign_in;
mod staff;
mod support;
mod tidy;
