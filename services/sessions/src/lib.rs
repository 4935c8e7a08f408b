//! Sessions: opened on evidence in the log, checked from memory, ended by an event or by time.
//!
//! ```text
//! Start   flow + secret → evidence in the log → SessionStarted → folded here, up to itself → token
//! Check   token → directory in memory, nothing older than a second missing
//! End     token → SessionEnded → every replica refuses within a second; told over the bus, too, and recorded later if it must
//! Snapshot what is folded, now and then → schema `sessions`, sealed → where the next replica begins
//! ```

pub mod app;
mod config;
pub mod domain;
pub mod grpc;
mod head;
mod keys;
mod migrate;
mod run;
mod snapshot;
mod store;
mod view;

pub use config::Config;
pub use keys::Keys;
pub use migrate::schema;
pub use run::{Servers, build, run};
