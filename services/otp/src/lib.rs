//! Codes by mail.
pub mod domain;
