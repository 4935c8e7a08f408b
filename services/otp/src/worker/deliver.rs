//! One mail, from the claim to its outcome.

use std::fmt;
use std::sync::Arc;

use lettre::Message;
use sekisho_eventlog::{DecideError, Decided, EventId, Facts, Log, LogFault};
use sekisho_evidence::{CommandId, newest_cuts};
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::refusal::Refuse as _;
use sekisho_service::{chain, telemetry};
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument as _;

use super::addresses::{Addresses, Question};
use super::failure::Failure;
use super::letter::Letters;
use super::parking::Delivery;
use super::relay::Relay;
use super::times::{ADDRESS, CLAIM, FROM_LAST_LOOK, LAST_LOOK, RECORDING, RECORDING_PAUSE};
use super::todo::Owed;
use crate::app::context;
use crate::code::Keys;
use crate::domain::{Codes, Command, NoHandOver, Rejection};

/// Hands one mail over at a time; shared by all that are at hand.
pub struct Courier {
    log: Log,
    keys: Keys,
    addresses: Arc<dyn Addresses>,
    letters: Letters,
    relay: Relay,
}

/// A claim that stands in the log.
#[derive(Debug, Clone, Copy)]
struct Claim {
    event_id: EventId,
    attempt: u32,
}

impl Courier {
    /// A courier over a log.
    pub fn new(log: Log, keys: Keys, addresses: Arc<dyn Addresses>, letters: Letters, relay: Relay) -> Self {
        Self {
            log,
            keys,
            addresses,
            letters,
            relay,
        }
    }

    /// Claims a mail, hands it over and records what came of it; nothing if another worker has it.
    pub(super) async fn deliver(&self, owed: Owed) -> Delivery {
        let span = tracing::info_span!(
            "mail.code.deliver",
            otel.kind = "consumer",
            about = owed.about.0,
            attempt = owed.attempts + 1
        );
        telemetry::continue_trace(&span, &owed.traceparent);
        let work = async {
            let claim = match self.claim(&owed).await {
                Ok(Some(claim)) => claim,
                Ok(None) => return Delivery::Over,
                Err(reason) => return Delivery::Stuck(reason),
            };
            let outcome = self.hand_over(&owed, claim).await;
            self.record(&owed, claim, outcome).await;
            Delivery::Over
        };
        work.instrument(span).await
    }

    /// `None` if another worker has it or this one cannot know; an error for what time does not mend.
    async fn claim(&self, owed: &Owed) -> Result<Option<Claim>, &'static str> {
        let attempt = owed.attempts + 1;
        let context = context(owed.owner.account, owed.owner.flow, None);
        let decided = self
            .log
            .decide(&context, |facts: &Facts<Codes>| {
                let command = Command::ClaimMail {
                    flow: owed.owner.flow,
                    about: owed.about,
                    attempt,
                    until: facts.now + CLAIM,
                };
                facts.state.decide(facts.now, command)
            })
            .await;
        match decided {
            Ok(Decided::Recorded { recorded, .. }) => Ok(Some(Claim {
                event_id: recorded.event_id,
                attempt,
            })),
            Ok(Decided::Repeated { .. } | Decided::Nothing(_)) => Ok(None),
            Err(DecideError::Rejected(rejection)) => {
                tracing::debug!(%rejection, "not claimed");
                Ok(None)
            }
            // Of this account alone; what the log refuses it refuses to all.
            Err(DecideError::Log(fault @ LogFault::Unknown)) => Err(fault.reason()),
            Err(error) => {
                tracing::warn!(error = chain(&error), "not claimed");
                Ok(None)
            }
        }
    }

    /// The relay's reply code, or why it has no mail.
    async fn hand_over(&self, owed: &Owed, claim: Claim) -> Result<u16, Failure> {
        let letter = self.letter(owed).await?;
        self.relay.hand_over(&letter, self.last_look(owed, claim)).await
    }

    async fn letter(&self, owed: &Owed) -> Result<Message, Failure> {
        let question = Question {
            account: owed.owner.account,
            flow: owed.owner.flow,
            about: owed.about,
        };
        let unreachable = Failure::of(Class::Unreachable);
        let address = timeout(ADDRESS, self.addresses.resolve(question))
            .await
            .unwrap_or(Err(unreachable))?;
        let code = self.keys.code(owed.owner, &owed.key_id, owed.issue);
        let code = code.map_err(|error| {
            tracing::error!(%error, "a code cannot be derived");
            unreachable
        })?;
        self.letters.write(owed, &code, &address).map_err(|error| {
            tracing::error!(%error, "a letter cannot be written");
            Failure::of(Class::Permanent)
        })
    }

    /// Just before DATA: do the claim and the code still live, by the log, and will they until the relay has the mail?
    async fn last_look(&self, owed: &Owed, claim: Claim) -> Result<(), Failure> {
        let account = owed.owner.account;
        let look = async {
            let codes = self.log.load::<Codes>(account).await?.state;
            Ok((codes, newest_cuts(&self.log, account).await?))
        };
        let unknown = |error: &(dyn std::error::Error + 'static)| {
            tracing::warn!(
                error = chain(error),
                "not handed over without a last look into the log"
            );
            Failure::of(Class::Unreachable)
        };
        let (codes, cuts) = match timeout(LAST_LOOK, look).await {
            Ok(seen) => seen.map_err(|error: sekisho_eventlog::ReadError| unknown(&error))?,
            Err(elapsed) => return Err(unknown(&elapsed)),
        };
        let done_by = self.log.now() + FROM_LAST_LOOK;
        let may = match codes.may_hand_over(owed.owner.flow, owed.about, claim.attempt, done_by) {
            Ok(()) if cuts.flow_lives(owed.minted) => Ok(()),
            Ok(()) | Err(NoHandOver::CodeDead) => Err(Class::Dead),
            // This worker was too slow; the mail may be tried again.
            Err(NoHandOver::ClaimOver) => Err(Class::Unreachable),
        };
        may.map_err(Failure::of)
    }

    /// Records the outcome once, however often this is tried.
    async fn record(&self, owed: &Owed, claim: Claim, outcome: Result<u16, Failure>) {
        let end = Instant::now() + RECORDING;
        loop {
            let error = match self.try_to_record(owed, claim, outcome).await {
                Ok(()) => return,
                Err(error) => error,
            };
            let may_pass = matches!(error, DecideError::Log(LogFault::Busy | LogFault::Unavailable));
            if !may_pass || Instant::now() > end {
                tracing::error!(error = chain(&error), ?outcome, "an outcome is not recorded");
                return;
            }
            sleep(RECORDING_PAUSE).await;
        }
    }

    async fn try_to_record(
        &self,
        owed: &Owed,
        claim: Claim,
        outcome: Result<u16, Failure>,
    ) -> Result<(), DecideError<Rejection>> {
        let (flow, about, attempt) = (owed.owner.flow, owed.about, claim.attempt);
        let command = match outcome {
            Ok(reply) => Command::RecordMailed {
                flow,
                about,
                attempt,
                reply: reply.into(),
            },
            Err(Failure { class, reply }) => Command::RecordMailFailed {
                flow,
                about,
                attempt,
                class,
                reply: reply.into(),
            },
        };
        let digest = CommandId::from(claim.event_id.0.into_bytes()).digest(&[b"outcome"]);
        let context = context(owed.owner.account, flow, Some(digest));
        let decide = |facts: &Facts<Codes>| facts.state.decide(facts.now, command.clone());
        let decided: Decided<Codes> = self.log.decide(&context, decide).await?;
        let recorded = !matches!(decided, Decided::Nothing(_));
        tracing::info!(?outcome, recorded, "mail");
        Ok(())
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
