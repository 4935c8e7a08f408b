//! Protobuf ↔ use cases. No rules here.

mod administration;
mod credentials;
mod status;

use std::sync::{Arc, OnceLock};

use sekisho_eventlog::FlowId;
use sekisho_service::refusal::refuse;
use tonic::{Code, Status};

use crate::app::App;

pub use administration::Administration;
pub use credentials::Credentials;

/// The app, once PostgreSQL has answered. Until then every call is told to come back.
#[derive(Debug, Clone, Default)]
pub struct Late {
    app: Arc<OnceLock<App>>,
}

impl Late {
    /// From now on calls are answered. Only the first app counts.
    pub fn arrive(&self, app: App) {
        let _ = self.app.set(app);
    }

    fn get(&self) -> Result<&App, Status> {
        self.app.get().ok_or_else(|| {
            refuse(
                Code::Unavailable,
                "LOG_UNAVAILABLE",
                "the log has not been reached yet",
            )
        })
    }
}

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
