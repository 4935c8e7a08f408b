//! Codes by mail.
//!
//! [`app`] holds the use cases, [`domain`] their rules, [`worker`] hands the mails over, [`code`] derives the digits.
//! The service keeps nothing but its keys: every state is folded from the log.

pub mod app;
pub mod code;
mod config;
pub mod domain;
pub mod grpc;
mod run;
pub mod worker;

pub use config::Config;
pub use grpc::{Api, CALLERS};
pub use run::run;
