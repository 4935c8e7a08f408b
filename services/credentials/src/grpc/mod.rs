//! Protobuf ↔ use cases. No rules here.

mod administration;
mod credentials;
mod explained;
mod federated;
mod imported;
mod status;

use sekisho_eventlog::FlowId;
use sekisho_service::refusal::malformed;
use tonic::Status;

pub use administration::Administration;
pub use credentials::Credentials;

fn flow_id(bytes: &[u8]) -> Result<FlowId, Status> {
    FlowId::try_from(bytes).map_err(|_| malformed("flow_id", 16))
}

fn secret_digest(bytes: &[u8]) -> Result<[u8; 32], Status> {
    bytes.try_into().map_err(|_| malformed("secret_digest", 32))
}

/// What a device cookie holds; a browser may have none.
fn device(bytes: &[u8]) -> Result<Option<[u8; 32]>, Status> {
    match bytes {
        [] => Ok(None),
        bytes => bytes.try_into().map(Some).map_err(|_| malformed("device", 32)),
    }
}
