//! What arrives after the listeners are bound.

use std::sync::{Arc, OnceLock};

use tonic::Status;

use crate::refusal::not_ready;

/// The use cases of a service, once the log has been reached. Before that no call comes here: the server refuses all until
/// the process is ready, and a service is not before its use cases have arrived. Cheap to clone; all clones wait for the
/// same.
#[derive(Debug)]
pub struct Late<T> {
    arrived: Arc<OnceLock<T>>,
}

impl<T> Late<T> {
    /// From now on calls are answered. Only the first to arrive counts.
    pub fn arrive(&self, arrived: T) {
        let _ = self.arrived.set(arrived);
    }

    /// What calls are answered by.
    ///
    /// # Errors
    /// UNAVAILABLE, for the reason `NOT_READY`.
    pub fn get(&self) -> Result<&T, Status> {
        self.arrived.get().ok_or_else(not_ready)
    }
}

impl<T> Default for Late<T> {
    fn default() -> Self {
        Self {
            arrived: Arc::default(),
        }
    }
}

impl<T> Clone for Late<T> {
    fn clone(&self) -> Self {
        Self {
            arrived: Arc::clone(&self.arrived),
        }
    }
}
