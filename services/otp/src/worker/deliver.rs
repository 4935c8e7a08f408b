//! One mail, from the claim to its outcome.

use std::fmt;
use std::sync::Arc;

use lettre::Message;
use sekisho_eventlog::{DecideError, Decided, EventId, Facts, Log, LogFault, ReadError};
use sekisho_evidence::{CommandId, newest_cuts};
use sekisho_letters::{self as letters, LetterError, Letters};
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::refusal::Refuse as _;
use sekisho_service::settings::Secret;
use sekisho_service::{chain, entropy, telemetry};
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument as _, Span};

use super::addresses::{Addresses, Question};
use super::failure::Failure;
use super::parking::Delivery;
use super::relay::Relay;
use super::times::{ADDRESS, CLAIM, FROM_LAST_LOOK, LAST_LOOK, UNANSWERED, UNANSWERED_PAUSE};
use super::todo::{Content, Owed, OwedCode};
use crate::app::context;
use crate::code::{Keys, Owner};
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
        let span = span(&owed);
        telemetry::continue_trace(&span, &owed.traceparent);
        let work = async {
            let claim = match self.claim(&owed).await {
                Ok(claim) => claim,
                Err(delivery) => return delivery,
            };
            let outcome = self.hand_over(&owed, claim).await;
            self.record(&owed, claim, outcome).await;
            Delivery::Over
        };
        work.instrument(span).await
    }

    /// How it ends if nothing was claimed: another worker has it, it is owed no longer, or this one cannot know.
    async fn claim(&self, owed: &Owed) -> Result<Claim, Delivery> {
        let attempt = owed.attempts + 1;
        let digest = CommandId::from(entropy::bytes()).digest(&[b"claim"]);
        let decided = self.decide(owed, digest, |facts| Command::ClaimMail {
            letter: owed.letter(),
            about: owed.about,
            attempt,
            until: facts.now + CLAIM,
        });
        match decided.await {
            Ok(Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. }) => Ok(Claim {
                event_id: recorded.event_id,
                attempt,
            }),
            Ok(Decided::Nothing(_)) => Err(Delivery::Over),
            Err(DecideError::Rejected(rejection)) => {
                tracing::debug!(%rejection, "not claimed");
                Err(match rejection {
                    Rejection::NotOwed => Delivery::Settled,
                    Rejection::Behind { attempts } => Delivery::Behind { attempts },
                    Rejection::Held
                    | Rejection::Cancelled
                    | Rejection::TooSoon
                    | Rejection::TooMany
                    | Rejection::Locked
                    | Rejection::Closed
                    | Rejection::NoLiveCode
                    | Rejection::Expired
                    | Rejection::Spent => Delivery::Over,
                })
            }
            // Of this account alone; what the log refuses it refuses to all.
            Err(DecideError::Log(fault @ LogFault::Unknown)) => Err(Delivery::Stuck(fault.reason())),
            Err(error) => {
                tracing::warn!(error = chain(&error), "not claimed");
                Err(Delivery::Over)
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
            account: owed.account,
            flow: owed.letter().flow(),
            about: owed.about,
        };
        let unprepared = Failure::of(Class::Unprepared);
        let address = timeout(ADDRESS, self.addresses.resolve(question))
            .await
            .unwrap_or(Err(unprepared))?;
        let letter = match &owed.content {
            Content::Code(code) => {
                let digits = self.keys.code(owner(owed, code), &code.key_id, code.issue);
                let digits = digits.map_err(|error| {
                    tracing::error!(%error, "a code cannot be derived");
                    unprepared
                })?;
                let digits = std::str::from_utf8(digits.expose()).unwrap_or_default();
                let code = letters::Code {
                    purpose: code.purpose,
                    digits,
                    reference: &code.reference,
                    expires_at: owed.expires_at,
                };
                self.write(owed, letters::Content::Code(code), &address)
            }
            Content::Notice(topic) => self.write(owed, letters::Content::Notice(*topic), &address),
        };
        letter.map_err(|error| {
            tracing::error!(%error, "a letter cannot be written");
            Failure::of(Class::Permanent)
        })
    }

    fn write(
        &self,
        owed: &Owed,
        content: letters::Content<'_>,
        address: &Secret<String>,
    ) -> Result<Message, LetterError> {
        let letter = letters::Letter {
            id: owed.event_id.0,
            at: owed.recorded_at,
            content,
        };
        self.letters.write(letter, address)
    }

    /// Just before DATA: do the claim and what the mail brings still live, by the log, and will they until the relay has it?
    async fn last_look(&self, owed: &Owed, claim: Claim) -> Result<(), Failure> {
        let look = async {
            let codes = self.log.load::<Codes>(owed.account).await?.state;
            Ok((codes, self.is_cut(owed).await?))
        };
        let unknown = |error: &(dyn std::error::Error + 'static)| {
            tracing::warn!(
                error = chain(error),
                "not handed over without a last look into the log"
            );
            Failure::of(Class::Unprepared)
        };
        let (codes, is_cut) = match timeout(LAST_LOOK, look).await {
            Ok(seen) => seen.map_err(|error: ReadError| unknown(&error))?,
            Err(elapsed) => return Err(unknown(&elapsed)),
        };
        let done_by = self.log.now() + FROM_LAST_LOOK;
        let may = match codes.may_hand_over(owed.letter(), owed.about, claim.attempt, done_by) {
            Ok(()) if !is_cut => Ok(()),
            Ok(()) | Err(NoHandOver::Dead) => Err(Class::Dead),
            // This worker was too slow; the mail may be tried again.
            Err(NoHandOver::ClaimOver) => Err(Class::Unprepared),
        };
        may.map_err(Failure::of)
    }

    /// A notice is often of what has cut everything else.
    async fn is_cut(&self, owed: &Owed) -> Result<bool, ReadError> {
        match &owed.content {
            Content::Code(code) => {
                let cuts = newest_cuts(&self.log, owed.account).await?;
                Ok(!cuts.flow_lives(code.minted))
            }
            Content::Notice(_) => Ok(false),
        }
    }

    /// Records the outcome once, however often this is tried.
    async fn record(&self, owed: &Owed, claim: Claim, outcome: Result<u16, Failure>) {
        let (letter, about, attempt) = (owed.letter(), owed.about, claim.attempt);
        let command = match outcome {
            Ok(reply) => Command::RecordMailed {
                letter,
                about,
                attempt,
                reply: reply.into(),
            },
            Err(Failure { class, reply }) => Command::RecordMailFailed {
                letter,
                about,
                attempt,
                class,
                reply: reply.into(),
            },
        };
        let digest = CommandId::from(claim.event_id.0.into_bytes()).digest(&[b"outcome"]);
        match self.decide(owed, digest, |_| command.clone()).await {
            Ok(decided) => {
                let recorded = !matches!(decided, Decided::Nothing(_));
                tracing::info!(?outcome, recorded, "mail");
            }
            Err(error) => {
                tracing::error!(error = chain(&error), ?outcome, "an outcome is not recorded");
            }
        }
    }

    /// Decides a command until the log answers, for a minute at most. An append without an answer may stand there all the
    /// same: its digest tells it from another worker's, and nobody waits until a claim of nobody's has run out. Digests are
    /// looked for in a flow: a claim on a notice has none and is waited for, which a notice can afford.
    async fn decide(
        &self,
        owed: &Owed,
        digest: [u8; 32],
        command: impl Fn(&Facts<Codes>) -> Command,
    ) -> Result<Decided<Codes>, DecideError<Rejection>> {
        let context = context(owed.account, owed.letter().flow(), Some(digest));
        let end = Instant::now() + UNANSWERED;
        loop {
            let decide = |facts: &Facts<Codes>| facts.state.decide(facts.now, command(facts));
            let decided = self.log.decide(&context, decide).await;
            let may_pass = matches!(
                decided,
                Err(DecideError::Log(LogFault::Busy | LogFault::Unavailable))
            );
            if !may_pass || Instant::now() > end {
                return decided;
            }
            sleep(UNANSWERED_PAUSE).await;
        }
    }
}

fn span(owed: &Owed) -> Span {
    let (about, attempt) = (owed.about.0, owed.attempts + 1);
    match owed.content {
        Content::Code(_) => {
            tracing::info_span!("mail.code.deliver", otel.kind = "consumer", about, attempt)
        }
        Content::Notice(_) => {
            tracing::info_span!("mail.notice.deliver", otel.kind = "consumer", about, attempt)
        }
    }
}

fn owner(owed: &Owed, code: &OwedCode) -> Owner {
    Owner {
        account: owed.account,
        flow: code.flow,
        purpose: code.purpose,
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
