//! Accounts, password hashes and personal keys: who may begin a sign-in, and what is known of the person behind a flow.
//!
//! ```text
//! grpc ──▶ app ──▶ domain (decide, evolve: the whole rule book, pure)
//!           ├────▶ hashing (argon2id on a bounded pool)
//!           ├────▶ provider (OpenID Connect: who vouches for staff)
//!           ├────▶ sealing (what the log keeps of a browser)
//!           └────▶ store   (the schema `credentials`: read here, changed by combined functions only)
//! ```
//!
//! An unknown login id is a phantom account: a stream of its own, the same deciders, the same work, and it never
//! accepts anything. So nothing but the manual's two texts tells unknown ids apart.

pub mod app;
mod callers;
mod config;
pub mod domain;
pub mod former;
mod grpc;
pub mod hashing;
mod migrate;
pub mod provider;
mod run;
pub mod sealing;
pub mod store;

pub use callers::{ADMINISTRATION, CALLERS};
pub use config::Config;
pub use migrate::schema;
pub use run::run;
