//! What each error is on the wire.

use sekisho_service::refusal;
use tonic::Status;

use crate::app::Error;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        refusal::status(&error)
    }
}
