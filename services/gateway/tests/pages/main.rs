//! The real router, driven like a browser drives it. Only the services behind it are scripted, because most states of
//! theirs are hard to reach; the same pages with all real parts are tested by the end-to-end tests.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it stands"
)]

mod bad_input;
mod board;
mod device;
mod edge;
mod email;
mod forms;
mod history;
mod idle;
mod language;
mod maintenance;
mod privacy;
mod reset;
mod seed_strings;
mod session;
mod sign_in;
mod staff;
mod words;
