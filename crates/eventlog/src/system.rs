//! What an operator says of the log as a whole, and of the portal: kind `system`, one stream.

use std::collections::BTreeSet;

use prost::Message as _;
use sekisho_proto::events::SystemEvent;
use sekisho_proto::log::v1::{ClockAccepted, EpochStarted, MaintenanceChanged, SystemState};
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
use crate::read::ReadError;

/// The system's only stream.
const STREAM: StreamId = StreamId(Uuid::nil());
/// Hosts that are closed for people, at most.
pub const MOST_CLOSED: usize = 16;

/// What an operator has said of the portal; of the log nothing is remembered, because no decision depends on it.
#[derive(Debug, Clone, Default)]
struct System {
    closed: BTreeSet<String>,
}

impl Fold for System {
    type Event = SystemEvent;
    const VERSION: u32 = 2;

    fn evolve(mut self, event: &SystemEvent, _: &Recorded) -> Self {
        match event {
            SystemEvent::EpochStarted(_) | SystemEvent::ClockAccepted(_) => {}
            SystemEvent::MaintenanceChanged(changed) if changed.closed => {
                self.closed.insert(changed.host.clone());
            }
            SystemEvent::MaintenanceChanged(changed) => {
                self.closed.remove(&changed.host);
            }
        }
        self
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        let state = SystemState::decode(bytes).ok()?;
        Some(Self {
            closed: state.closed_hosts.into_iter().collect(),
        })
    }
}

impl Carry for System {
    fn carry(&self) -> Vec<u8> {
        let closed_hosts = self.closed.iter().cloned().collect();
        SystemState { closed_hosts }.encode_to_vec()
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

    /// Closes a host of the portal for people, or opens it; `None` if it is so already. Only the role `sekisho_operator` may. `actor` is
    /// who says so, `host` as browsers name it, without port, in lower case.
    ///
    /// # Errors
    /// [`LogFault`]; [`LogFault::Refused`] for more than [`MOST_CLOSED`] closed hosts.
    pub async fn change_maintenance(
        &self,
        actor: &str,
        host: &str,
        closed: bool,
    ) -> Result<Option<Receipt>, LogFault> {
        let event = SystemEvent::from(MaintenanceChanged {
            host: host.to_owned(),
            closed,
        });
        self.decide_system(actor, |state| {
            if state.closed.contains(host) == closed {
                Ok(Decision::Nothing)
            } else if closed && state.closed.len() >= MOST_CLOSED {
                Err(LogFault::Refused)
            } else {
                Ok(Decision::Record(event.clone()))
            }
        })
        .await
    }

    /// The hosts of the portal that are closed for people.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn closed_hosts(&self) -> Result<BTreeSet<String>, ReadError> {
        Ok(self.load::<System>(STREAM).await?.state.closed)
    }

    async fn say(&self, actor: &str, event: SystemEvent) -> Result<Receipt, LogFault> {
        let decided = self.decide_system(actor, |_| Ok(Decision::Record(event.clone())));
        decided.await?.ok_or(LogFault::Refused)
    }

    async fn decide_system(
        &self,
        actor: &str,
        decide: impl Fn(&System) -> Result<Decision<SystemEvent>, LogFault>,
    ) -> Result<Option<Receipt>, LogFault> {
        let context = Context::new(STREAM, None, actor);
        let decided = self.decide::<System, LogFault>(&context, |facts| decide(&facts.state));
        match decided.await {
            Ok(Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. }) => {
                Ok(Some(Receipt {
                    position: recorded.position,
                    recorded_at: recorded.recorded_at,
                }))
            }
            Ok(Decided::Nothing(_)) => Ok(None),
            Err(DecideError::Log(fault) | DecideError::Rejected(fault)) => Err(fault),
            Err(DecideError::Expired) => Err(LogFault::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_is_carried() {
        let system = System {
            closed: ["portal.example.jp", "portal2.example.jp"]
                .map(String::from)
                .into(),
        };
        let resumed = System::resume(&system.carry()).unwrap();
        assert_eq!(resumed.closed, system.closed);
    }
}
