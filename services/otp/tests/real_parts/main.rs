//! The service on a real PostgreSQL, a real NATS server and a relay that does what a test tells it to.

#![expect(clippy::unwrap_used, reason = "what a test stands on must hold")]

mod answers;
mod codes;
mod guessing;
mod limits;
mod mails;
mod notices;
mod parked;
mod process;
mod relays;
mod replicas;
mod rotation;
mod support;
mod tls;
