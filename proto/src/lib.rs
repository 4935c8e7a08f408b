//! Every gRPC contract between the services, and every event of the log.
//!
//! The files below `signin/` are the contract; the modules here are generated from them. [`events`] gathers the
//! messages that are events into one enum per [`Kind`].

mod event;
pub mod events;
mod redacted;
pub mod refusal;
mod time;

pub use event::{Event, EventError, Kind};
pub use time::{from_timestamp, to_timestamp};

/// The descriptors of all contracts, for gRPC reflection and for readers of exported events.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! generated {
    ($($context:ident: $package:literal, $doc:literal, [$($lint:path),+];)+) => {$(
        #[doc = $doc]
        pub mod $context {
            #[doc = concat!("Package `", $package, "`.")]
            #[expect($($lint),+, reason = "generated")]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    )+};
}

generated! {
    log: "signin.log.v1", "The envelope of every entry of the log.", [missing_docs];
    credentials: "signin.credentials.v1", "Accounts, passwords and what is known of a person.", [missing_docs, clippy::all, clippy::pedantic, clippy::allow_attributes, clippy::allow_attributes_without_reason];
    otp: "signin.otp.v1", "Codes by mail.", [missing_docs, clippy::all, clippy::pedantic, clippy::allow_attributes, clippy::allow_attributes_without_reason];
    sessions: "signin.sessions.v1", "Sessions.", [missing_docs, clippy::all, clippy::pedantic, clippy::allow_attributes, clippy::allow_attributes_without_reason];
}
