//! Sessions on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod activity;
mod epochs;
mod floods;
mod fold;
mod gates;
mod history;
mod life;
mod outage;
mod races;
mod snapshots;
mod support;
mod tombstones;
mod trouble;
mod verify;
mod wire;
