//! Sessions on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod activity;
mod epochs;
mod fold;
mod gates;
mod life;
mod outage;
mod races;
mod support;
mod tombstones;
mod verify;
mod wire;
