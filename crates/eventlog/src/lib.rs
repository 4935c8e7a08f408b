//! The log: append, load, decide, follow, publish and work.
//!
//! PostgreSQL is the record: every decision is one event, appended at an expected version and durable before anybody
//! is answered. NATS only tells others sooner. Nothing here knows what a password or a session is.
//!
//! ```text
//! load → fold → decide → append at the expected version → on conflict again     (Log::decide)
//! committed → published on NATS → hint → read from the log → fold               (Publisher, Log::follow)
//! ```
//!
//! The bytes of an entry and every guarantee: `docs/log-format.md`.

mod access;
mod alarm;
mod answer;
mod append;
pub mod bus;
mod clock;
mod connect;
mod decide;
mod draft;
mod entry;
mod fault;
mod fold;
mod follow;
mod head;
mod ids;
mod leaf;
mod line;
mod log;
mod migrate;
mod park;
mod publish;
mod read;
mod since;
mod statement;
mod streams;
mod system;
mod tasks;
mod wake;
mod writer;

pub use access::{DatabaseUrl, LogAccess};
pub use alarm::LogEnded;
pub use append::{AppendError, Outcome, Receipt};
pub use clock::Clock;
pub use connect::{ConnectError, LogSettings};
pub use decide::{Context, DecideError, Decided, Decision, Facts};
pub use draft::{Argument, CARRY_EVERY, Draft, Via};
pub use entry::{Entry, Recorded};
pub use fault::LogFault;
pub use fold::{Carry, Fold, Loaded, refold};
pub use follow::{Batch, Follower};
pub use head::{Head, Mark};
pub use ids::{EventId, FlowId, IdError, Position, StreamId, Version};
pub use leaf::LEAF_FORMAT;
pub use log::Log;
pub use migrate::{MigrateError, ServiceSchema, migrate};
pub use park::Parked;
pub use read::{Page, ReadError};
pub use system::MOST_CLOSED;
pub use wake::{Messages, Wakeups};
