//! What an operator says of the log as a whole: kind `system`, one stream.

use sekisho_proto::events::SystemEvent;
use sekisho_proto::log::v1::{ClockAccepted, EpochStarted};
use sekisho_proto::to_timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::append::Receipt;
use crate::decide::{Context, DecideError, Decided, Decision};
use crate::entry::Recorded;
use crate::fault::LogFault;
use crate::fold::{Carry, Fold};
use crate::ids::StreamId;
use crate::log::Log;

/// The system's only stream.
const STREAM: StreamId = StreamId(Uuid::nil());

/// Nothing is remembered: what is said of the log depends on nothing that was said before.
#[derive(Debug, Clone, Default)]
struct System;

impl Fold for System {
    type Event = SystemEvent;
    const VERSION: u32 = 1;

    fn evolve(self, _: &SystemEvent, _: &Recorded) -> Self {
        self
    }

    fn resume(_: &[u8]) -> Option<Self> {
        Some(Self)
    }
}

impl Carry for System {
    fn carry(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Log {
    /// Begins an epoch: the log as it is now is the true one, and whatever was minted before is cut. Only the role
    /// `sekisho_operator` may. `actor` is who says so.
    ///
    /// # Errors
    /// [`LogFault`].
    pub async fn start_epoch(&self, actor: &str) -> Result<Receipt, LogFault> {
        let epoch = self.say(actor, EpochStarted {}.into()).await?;
        // Else this process would know of its own epoch with its next poll only, and append nothing until then.
        if let Err(error) = self.confirm_head().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "head not confirmed");
        }
        Ok(epoch)
    }

    /// Accepts that the database's clock is behind the newest entry, which was recorded at `instead_of`. Only the role
    /// `sekisho_operator` may. `actor` is who says so.
    ///
    /// # Errors
    /// [`LogFault`].
    pub async fn accept_clock(&self, actor: &str, instead_of: OffsetDateTime) -> Result<Receipt, LogFault> {
        let instead_of = Some(to_timestamp(instead_of));
        self.say(actor, ClockAccepted { instead_of }.into()).await
    }

    async fn say(&self, actor: &str, event: SystemEvent) -> Result<Receipt, LogFault> {
        let context = Context::new(STREAM, None, actor);
        let decided = self
            .decide::<System, LogFault>(&context, |_| Ok(Decision::Record(event.clone())))
            .await;
        match decided {
            Ok(Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. }) => Ok(Receipt {
                position: recorded.position,
                recorded_at: recorded.recorded_at,
            }),
            Err(DecideError::Log(fault) | DecideError::Rejected(fault)) => Err(fault),
            Ok(Decided::Nothing(_)) | Err(DecideError::Expired) => Err(LogFault::Refused),
        }
    }
}
