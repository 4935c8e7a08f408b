//! Every page and state of the portal, over scripted services: most of their states are hard to reach with real ones. For tests of
//! the pages, for pictures of them, and to look at: `cargo run --package sekisho-gallery`.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "helpers of tests fail by panicking, too"
)]

pub mod browser;
pub mod corpus;
pub mod services;
mod site;
pub mod states;
pub mod world;

pub use site::{live, router};
