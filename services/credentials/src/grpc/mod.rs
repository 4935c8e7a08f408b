//! Protobuf ↔ use cases. No rules here.

mod administration;
mod credentials;
mod status;

use sekisho_eventlog::FlowId;
use sekisho_service::refusal::refuse;
use tonic::{Code, Status};

pub use administration::Administration;
pub use credentials::Credentials;

/// A request of another form than the contract says.
fn malformed(message: &'static str) -> Status {
    refuse(Code::InvalidArgument, "REQUEST_MALFORMED", message)
}

fn flow_id(bytes: &[u8]) -> Result<FlowId, Status> {
    FlowId::try_from(bytes).map_err(|_| malformed("flow_id is not 16 bytes"))
}

fn secret_digest(bytes: &[u8]) -> Result<[u8; 32], Status> {
    bytes
        .try_into()
        .map_err(|_| malformed("secret_digest is not 32 bytes"))
}
