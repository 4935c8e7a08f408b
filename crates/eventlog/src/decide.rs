//! Load → fold → decide → append at the expected version → on conflict again.

use sekisho_proto::Event;
use sekisho_proto::log::v1::Metadata;
use sekisho_service::telemetry;
use time::OffsetDateTime;

use crate::append::{Outcome, Receipt};
use crate::draft::{Draft, Via};
use crate::entry::{Entry, Recorded};
use crate::fault::LogFault;
use crate::fold::{Carry, Fold, Loaded};
use crate::ids::{EventId, FlowId, StreamId, Version};
use crate::log::Log;
use crate::read::ReadError;

/// Conflicts in a row after which a command gives up; only other processes cause them.
const ATTEMPTS: u32 = 20;

/// Around one command.
#[derive(Debug, Clone)]
pub struct Context {
    /// The stream that is decided on.
    pub stream: StreamId,
    /// The flow that the command belongs to.
    pub flow: Option<FlowId>,
    /// SHA-256(command id ‖ input): an equal digest among the flow's entries of this kind gets the first answer.
    pub digest: Option<[u8; 32]>,
    /// Who acts.
    pub actor: String,
    /// W3C trace context; may be empty.
    pub traceparent: String,
    /// How the decision reaches the log.
    pub via: Via,
}

impl Context {
    /// Around a command that is decided within the trace of the running span and appended together with others.
    pub fn new(stream: StreamId, flow: Option<FlowId>, actor: &str) -> Self {
        Self {
            stream,
            flow,
            digest: None,
            actor: actor.to_owned(),
            traceparent: telemetry::current_traceparent(),
            via: Via::Append,
        }
    }
}

/// What a decision is made on.
#[derive(Debug, Clone)]
pub struct Facts<F> {
    /// The state of the stream.
    pub state: F,
    /// The version of the stream; the event that is decided will have the next one.
    pub version: Version,
    /// The entries of the flow; empty without one.
    pub flow: Vec<Entry>,
    /// The log's time.
    pub now: OffsetDateTime,
    /// The id that the event will have.
    pub event_id: EventId,
}

/// What a decider wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision<E> {
    /// Append this.
    Record(E),
    /// Append this, unless the log's time is past the moment by then.
    RecordBefore(E, OffsetDateTime),
    /// It is so already.
    Nothing,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided<F: Fold> {
    /// The event stands in the log now.
    Recorded {
        /// Where.
        recorded: Recorded,
        /// The event.
        event: F::Event,
        /// The state that it was decided on.
        before: F,
    },
    /// The same command was decided before: its event.
    Repeated {
        /// Where.
        recorded: Recorded,
        /// The event.
        event: F::Event,
    },
    /// It was so already.
    Nothing(F),
}

/// Why a command has no event.
#[derive(Debug, thiserror::Error)]
pub enum DecideError<R> {
    /// The decider said no.
    #[error("rejected")]
    Rejected(R),
    /// The moment after which the event must not be recorded had come.
    #[error("too late")]
    Expired,
    /// The log gave no answer.
    #[error(transparent)]
    Log(LogFault),
}

impl<R, E: Into<LogFault>> From<E> for DecideError<R> {
    fn from(error: E) -> Self {
        Self::Log(error.into())
    }
}

impl Log {
    /// Decides one command on one stream.
    ///
    /// `decide` is pure; it may be called several times.
    ///
    /// # Errors
    /// [`DecideError`]; after [`LogFault::Unavailable`] the event may or may not stand in the log.
    pub async fn decide<F: Carry, R>(
        &self,
        context: &Context,
        mut decide: impl FnMut(&Facts<F>) -> Result<Decision<F::Event>, R>,
    ) -> Result<Decided<F>, DecideError<R>> {
        let _alone = self.streams().lock(context.stream).await;
        let event_id = EventId::new(self.now());
        for _ in 0..ATTEMPTS {
            let (loaded, flow) = self.gather::<F>(context).await?;
            if let Some(first) = first_answer::<F, R>(context, &flow)? {
                return Ok(first);
            }
            let refolded = loaded.refolded;
            let facts = Facts {
                state: loaded.state,
                version: loaded.version,
                flow,
                now: self.now(),
                event_id,
            };
            let (event, not_after) = match decide(&facts).map_err(DecideError::Rejected)? {
                Decision::Record(event) => (event, None),
                Decision::RecordBefore(event, moment) => (event, Some(moment)),
                Decision::Nothing => return Ok(Decided::Nothing(facts.state)),
            };
            let loaded = Loaded {
                state: facts.state,
                version: facts.version,
                refolded,
            };
            let draft = Draft {
                not_after,
                ..self.draft(context, &loaded, event_id, &event)
            };
            match self.append(draft, &context.via).await? {
                Outcome::Recorded(receipt) => {
                    let recorded = recorded(context, loaded.version, event_id, receipt);
                    return Ok(Decided::Recorded {
                        recorded,
                        event,
                        before: loaded.state,
                    });
                }
                Outcome::Conflict => {}
                Outcome::Expired => return Err(DecideError::Expired),
            }
        }
        Err(LogFault::Unavailable.into())
    }

    async fn gather<F: Fold>(&self, context: &Context) -> Result<(Loaded<F>, Vec<Entry>), ReadError> {
        let loaded = self.load::<F>(context.stream).await?;
        let flow = match context.flow {
            Some(flow) => self.flow(flow).await?,
            None => Vec::new(),
        };
        Ok((loaded, flow))
    }

    fn draft<F: Carry>(
        &self,
        context: &Context,
        loaded: &Loaded<F>,
        event_id: EventId,
        event: &F::Event,
    ) -> Draft {
        let metadata = Metadata {
            actor: context.actor.clone(),
            service: self.service().to_owned(),
            traceparent: context.traceparent.clone(),
            command_digest: context.digest.map(Vec::from).unwrap_or_default(),
        };
        Draft {
            flow: context.flow,
            ..Draft::following(loaded, context.stream, event_id, event, metadata)
        }
    }
}

fn first_answer<F: Fold, R>(context: &Context, flow: &[Entry]) -> Result<Option<Decided<F>>, DecideError<R>> {
    let Some(digest) = context.digest else {
        return Ok(None);
    };
    let same = |entry: &&Entry| entry.kind == F::Event::KIND && entry.metadata().command_digest == digest;
    let Some(entry) = flow.iter().find(same) else {
        return Ok(None);
    };
    let event = entry.event()?;
    Ok(Some(Decided::Repeated {
        recorded: entry.recorded,
        event,
    }))
}

fn recorded(context: &Context, before: Version, event_id: EventId, receipt: Receipt) -> Recorded {
    Recorded {
        position: receipt.position,
        version: before.next(),
        stream: context.stream,
        event_id,
        flow: context.flow,
        recorded_at: receipt.recorded_at,
    }
}
