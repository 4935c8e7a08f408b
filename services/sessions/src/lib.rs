//! Sessions.
pub mod domain;
