//! The crate at work: real servers, real certificates, real processes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod callers;
mod clients;
mod faults;
mod life;
mod limits;
mod process;
mod support;
mod trace;
