//! `cargo dev`: starts the real parts of Sekisho privately, for people and for tests.
//!
//! Everything here is blocking and listens on loopback only. [`Postgres`] and [`Nats`] are single servers for the
//! tests of one crate; [`Stack`] is the whole: PostgreSQL, NATS, a mailbox and every service.
#![cfg(unix)]

pub mod axe;
pub mod cargo;
pub mod disk;
pub mod firefox;
pub mod folder;
mod mailbox;
pub mod nats;
mod packages;
pub mod paths;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod provider;
mod random;
mod secret;
mod service;
pub mod signals;
pub mod stack;
pub mod tools;
pub mod wait;

pub use nats::Nats;
pub use postgres::{Database, Postgres, Schema};
pub use service::Service;
pub use stack::{Process, Stack, StackOptions};
