//! NCRアカウントでサインイン: a sign-in in which a provider vouches for the person (OpenID Connect).

use std::sync::Arc;
use std::time::Duration;

use sekisho_eventlog::{DecideError, Decided, Decision, FlowId, StreamId};
use sekisho_evidence::{Flow, secret_digest};
use sekisho_proto::credentials::v1::federated_identity_rejected::Reason as Unopened;
use sekisho_proto::events::AccountEvent;
use sekisho_service::settings::Secret;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument as _;

use super::subject::Owner;
use super::verify::Stopped;
use super::{App, Error, context};
use crate::domain::client::Unvouched;
use crate::domain::{Account, Command, Identity, Rejection, Vouched, decide};
use crate::provider::{Distrust, Person, Provider};
use crate::sealing::{Asker, PersonalKey, Question, Seen, Tags};

/// Looks at the account of one person. Another one is needed only when the link was changed during the last.
const LOOKS: usize = 3;
/// How long the provider and another one who looks at the same answer may take together: less than callers wait.
const TOGETHER: Duration = Duration::from_millis(3_500);
/// Between the looks at what comes of the same answer elsewhere.
const PAUSE: Duration = Duration::from_millis(200);
/// What of a foreign text is logged, in characters.
const LOGGED: usize = 200;

/// Who wants to sign in with an NCR account.
#[derive(Debug)]
pub struct Beginning {
    /// SHA-256 of the secret of the flow that acceptance mints.
    pub secret_digest: [u8; 32],
    /// The host that the browser sees.
    pub host: String,
    /// The provider must ask who it is, whatever it remembers.
    pub ask_again: bool,
    /// The browser's side.
    pub seen: Seen,
}

/// What a browser brings back from the provider. Parameters that are missing are empty.
#[derive(Debug)]
pub struct Callback {
    /// The flow that it left in, if it left in one.
    pub flow: Option<FlowId>,
    /// Its secret.
    pub secret: Secret<Vec<u8>>,
    /// The host that the browser came back to.
    pub host: String,
    /// By which the question is known.
    pub state: Secret<String>,
    /// What the provider's token endpoint is asked with.
    pub code: Secret<String>,
    /// Who answers (RFC 9207).
    pub iss: String,
    /// Why there is no code.
    pub error: String,
    /// In the provider's words, for the log.
    pub error_description: String,
    /// The browser's side.
    pub seen: Seen,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The flow opens a session now, if it has not ended meanwhile.
    Accepted {
        /// Where the browser goes after a sign-out; empty if there is no such place.
        end_session_url: String,
    },
    /// The provider vouches for nobody.
    Unvouched(Unvouched),
    /// It does, and the person is not let in.
    Unopened(Unopened),
}

/// A callback that belongs to a question of ours.
struct Answered<'a> {
    callback: &'a Callback,
    flow: FlowId,
    /// Of the flow's secret.
    secret_digest: [u8; 32],
    question: Question,
    redirect_uri: &'a str,
}

/// Why nobody is vouched for.
enum Doubt {
    /// The code is none, or none any more.
    Spent,
    /// That is told.
    Of(Unvouched),
}

/// What the log says now.
enum Recorded {
    Accepted,
    Unopened(Unopened),
    /// Something mints the flow already.
    Before,
}

impl App {
    /// Signs staff in with a provider.
    #[must_use]
    pub fn with_provider(mut self, provider: Provider) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    pub(super) fn provider(&self) -> Result<&Provider, Error> {
        self.provider.as_deref().ok_or(Error::ProviderMissing)
    }

    /// Where the browser goes to sign in, and the flow that it comes back in. Nothing is recorded: nobody is known yet.
    ///
    /// # Errors
    /// [`Error::ProviderMissing`], also for a host that the provider does not know; [`Error::ProviderUnreachable`], which is counted.
    pub async fn begin_federated(&self, beginning: Beginning) -> Result<(FlowId, Secret<String>), Error> {
        let provider = self.provider()?;
        let redirect_uri = provider
            .redirect_uri(&beginning.host)
            .ok_or(Error::ProviderMissing)?;
        let flow = FlowId::mint(self.log.head());
        let asker = Asker {
            flow,
            secret_digest: beginning.secret_digest,
            redirect_uri,
        };
        let question = self.keys.phantoms.ask(asker, beginning.ask_again, self.log.now());
        let url = timeout(
            provider.patience(),
            provider.authorization(&question, redirect_uri),
        )
        .await;
        if let Ok(Ok(url)) = url {
            return Ok((flow, url));
        }
        let tags = self.day_keys.tags(&beginning.seen, self.log.now()).await?;
        self.note_unvouched(tags, Unvouched::ProviderUnreachable);
        Err(Error::ProviderUnreachable)
    }

    /// Looks at what a browser brings back. Each answer that is no acceptance has its event, if only a count.
    ///
    /// # Errors
    /// [`Error::Throttled`]. With any other nothing is known of the person, and the same call may be made again; if its code was asked
    /// about by then, it comes to nothing, and the person begins anew.
    pub async fn finish_federated(&self, callback: Callback) -> Result<Finished, Error> {
        let app = self.clone();
        // Whoever hangs up after the provider was asked must not have it for nothing: what it says is recorded.
        let work = async move { app.finish_and_count(&callback).await };
        let work = tokio::spawn(work.in_current_span());
        work.await
            .map_err(|_| Error::Broken("an answer of the provider panicked"))?
    }

    async fn finish_and_count(&self, callback: &Callback) -> Result<Finished, Error> {
        let tags = self.day_keys.tags(&callback.seen, self.log.now()).await?;
        let finished = self.finish(callback, tags).await?;
        if let Finished::Unvouched(why) = &finished {
            self.note_unvouched(tags, *why);
        }
        Ok(finished)
    }

    async fn finish(&self, callback: &Callback, tags: Option<Tags>) -> Result<Finished, Error> {
        let provider = self.provider()?;
        let Some(answered) = self.answered(provider, callback) else {
            return Ok(Finished::Unvouched(Unvouched::Binding));
        };
        if let Some(finished) = self.finished_before(&answered).await? {
            return Ok(finished);
        }
        if self.is_callback_throttled(tags) {
            return Err(Error::Throttled);
        }
        let until = Instant::now() + TOGETHER;
        let believed = timeout(provider.patience(), self.believe(provider, &answered)).await;
        let person = match believed.unwrap_or(Err(Doubt::Of(Unvouched::ProviderUnreachable))) {
            Ok(person) => person,
            Err(Doubt::Spent) => {
                self.count_callback(tags);
                return self.accepted_elsewhere(&answered, until).await;
            }
            Err(Doubt::Of(why)) => {
                if why == Unvouched::Binding {
                    self.count_callback(tags);
                }
                return Ok(Finished::Unvouched(why));
            }
        };
        for _ in 0..LOOKS {
            match self.record_person(&person, &answered, tags).await {
                Err(DecideError::Rejected(Stopped::Rejected(Rejection::VerdictStale))) => {}
                Err(error) => return Err(error.into()),
                Ok(Recorded::Accepted) => return Ok(self.accepted(&callback.host).await),
                Ok(Recorded::Unopened(why)) => return Ok(Finished::Unopened(why)),
                Ok(Recorded::Before) => {
                    let before = self.finished_before(&answered).await?;
                    return before.ok_or(Error::Broken("a flow was minted and is not"));
                }
            }
        }
        Err(Error::Broken("a link stands in the tables and not in the log"))
    }

    /// What was asked, if this is its answer.
    fn answered<'a>(&self, provider: &'a Provider, callback: &'a Callback) -> Option<Answered<'a>> {
        let (flow, redirect_uri) = (callback.flow?, provider.redirect_uri(&callback.host)?);
        let secret_digest = secret_digest(callback.secret.expose());
        let asker = Asker {
            flow,
            secret_digest,
            redirect_uri,
        };
        let state = callback.state.expose();
        let question = self.keys.phantoms.asked(asker, state, self.log.now())?;
        Some(Answered {
            callback,
            flow,
            secret_digest,
            question,
            redirect_uri,
        })
    }

    /// What came of the flow, if something did: a reload brings the same answer back, whose code is spent. Whether its session lives is
    /// for sessions to say.
    async fn finished_before(&self, answered: &Answered<'_>) -> Result<Option<Finished>, Error> {
        let callback = answered.callback;
        let flow = Flow::fold(&self.log.flow(answered.flow).await?)?;
        if flow == Flow::Unminted {
            return Ok(None);
        }
        let is_its_own = flow.open_with(callback.secret.expose()).is_ok();
        Ok(Some(match flow {
            Flow::Verified(..) | Flow::Used(..) if is_its_own => self.accepted(&callback.host).await,
            _ => Finished::Unvouched(Unvouched::Binding),
        }))
    }

    /// The same answer may be looked at elsewhere, which spent its code: then its flow is there soon.
    async fn accepted_elsewhere(&self, answered: &Answered<'_>, until: Instant) -> Result<Finished, Error> {
        while Instant::now() < until {
            if let Some(finished) = self.finished_before(answered).await? {
                return Ok(finished);
            }
            sleep(PAUSE).await;
        }
        Ok(Finished::Unvouched(Unvouched::Binding))
    }

    async fn accepted(&self, host: &str) -> Finished {
        let end_session_url = match &self.provider {
            Some(provider) => provider.end_session_url(host).await.unwrap_or_default(),
            None => String::new(),
        };
        Finished::Accepted { end_session_url }
    }

    /// The person whom the provider vouches for.
    async fn believe(&self, provider: &Provider, answered: &Answered<'_>) -> Result<Person, Doubt> {
        let callback = answered.callback;
        if !provider.answers_as(&callback.iss).await {
            tracing::warn!(
                iss = as_logged(&callback.iss),
                "somebody else than the provider answers"
            );
            return Err(Doubt::Of(Unvouched::Binding));
        }
        match callback.error.as_str() {
            "access_denied" => Err(Doubt::Of(Unvouched::Cancelled)),
            "login_required" | "interaction_required" => Err(Doubt::Of(Unvouched::Retry)),
            "" if callback.code.expose().is_empty() => Err(Doubt::Of(Unvouched::Binding)),
            "" => {
                let (code, now) = (callback.code.clone(), self.log.now());
                let vouched = provider
                    .redeem(code, &answered.question, answered.redirect_uri, now)
                    .await;
                vouched.map_err(|distrust| match distrust {
                    Distrust::Spent => Doubt::Spent,
                    Distrust::Nonce => Doubt::Of(Unvouched::Binding),
                    Distrust::Failed => Doubt::Of(Unvouched::ProviderFailed),
                    Distrust::Unreachable => Doubt::Of(Unvouched::ProviderUnreachable),
                    Distrust::Token => Doubt::Of(Unvouched::Token),
                })
            }
            error => {
                let (error, description) = (as_logged(error), as_logged(&callback.error_description));
                tracing::warn!(error, description, "the provider refuses");
                Err(Doubt::Of(Unvouched::ProviderFailed))
            }
        }
    }

    async fn record_person(
        &self,
        person: &Person,
        answered: &Answered<'_>,
        tags: Option<Tags>,
    ) -> Result<Recorded, DecideError<Stopped>> {
        let failed = |error| DecideError::Rejected(Stopped::Failed(error));
        let linked = self.link(person).await.map_err(failed)?;
        if self.is_account_throttled(linked.stream, tags) {
            return Err(failed(Error::Throttled));
        }
        let owner = Owner {
            stream: linked.stream,
            key: linked.key.as_ref(),
        };
        let (mut why_not, mut is_minted) = (None, false);
        let decided = self
            .log
            .decide::<Account, Stopped>(&context(linked.stream, Some(answered.flow)), |facts| {
                let failed = |error: Error| Stopped::Failed(error);
                let flow = Flow::fold(&facts.flow).map_err(|error| failed(error.into()))?;
                is_minted = flow != Flow::Unminted;
                if is_minted {
                    return Ok(Decision::Nothing);
                }
                let client = self
                    .sealed(owner, facts, &answered.callback.seen, tags)
                    .map_err(|error| failed(error.into()))?;
                let vouched = Vouched {
                    secret_digest: answered.secret_digest,
                    linked: linked.identity,
                    has_second_factor: person.has_second_factor,
                    authenticated_at: person.authenticated_at,
                    client,
                };
                why_not = facts.state.why_not(&vouched);
                let command = Command::AcceptIdentity(vouched);
                decide(&facts.state, facts.now, command).map_err(Stopped::Rejected)
            })
            .await?;
        match (decided, why_not) {
            (Decided::Nothing(_), _) if is_minted => Ok(Recorded::Before),
            (Decided::Recorded { .. } | Decided::Nothing(_), Some(why_not)) => {
                Ok(Recorded::Unopened(why_not))
            }
            (
                Decided::Recorded {
                    event: AccountEvent::FederatedIdentityAccepted(_),
                    ..
                },
                None,
            ) => Ok(Recorded::Accepted),
            _ => Err(failed(Error::Broken(
                "an identity was recorded as something else",
            ))),
        }
    }

    /// The account that a person opens, or the phantom of one who opens none.
    async fn link(&self, person: &Person) -> Result<Link, Error> {
        let (issuer, phantoms) = (self.provider()?.issuer(), &self.keys.phantoms);
        Ok(match self.store.linked(issuer, &person.subject).await? {
            Some(linked) => Link {
                stream: linked.account,
                identity: Some(phantoms.identity(issuer, &person.subject)),
                key: Some(PersonalKey::unwrap(
                    &self.keys.masters,
                    linked.account,
                    &linked.key,
                )?),
            },
            None => Link {
                stream: phantoms.stream_of_identity(issuer, &person.subject),
                identity: None,
                key: None,
            },
        })
    }
}

/// Whose stream decides on a person.
struct Link {
    stream: StreamId,
    /// The person, if an account is theirs.
    identity: Option<Identity>,
    key: Option<PersonalKey>,
}

/// What somebody else wrote, as far as a line of the log takes it: whoever brings it chooses its length, and providers write addresses
/// into it.
fn as_logged(text: &str) -> String {
    let words = text
        .split_whitespace()
        .map(|word| if word.contains('@') { "…@…" } else { word });
    let text = words.collect::<Vec<_>>().join(" ");
    text.chars().take(LOGGED).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_wrote_is_one_short_line_without_addresses() {
        let foreign = "AADSTS50105: the user hanako@example.com\nis not \u{7}assigned";
        let said = "AADSTS50105: the user …@… is not \\u{7}assigned";
        assert_eq!(as_logged(foreign), said);
        assert_eq!(as_logged(&"長".repeat(1_000)).chars().count(), 200);
    }
}
