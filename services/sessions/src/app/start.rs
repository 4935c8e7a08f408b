//! Opening a session.

use std::time::Duration;

use sekisho_eventlog::{Context, Decided, Decision, Facts, FlowId, LogFault, Mark, Position};
use sekisho_evidence::{Cuts, Flow, Mint, Refusal, account_cuts};
use sekisho_proto::events::SessionEvent;
use sekisho_proto::from_timestamp;
use time::OffsetDateTime;

use super::{ACTOR, Error, Sessions};
use crate::domain::{
    AccountSessions, Command, Limits, Rejection, SessionId, Stage, Start, Token, TokenDigest, Why, decide,
};

/// How long a Start waits until its own SessionStarted is folded.
const PATIENCE: Duration = Duration::from_secs(2);

/// A session that has started.
#[derive(Debug, Clone)]
pub struct Started {
    /// For the browser's cookie.
    pub token: Token,
    /// Its id.
    pub session: SessionId,
    /// Where SessionStarted stands.
    pub position: Position,
    /// When the account's session before it started.
    pub previous_started_at: Option<OffsetDateTime>,
}

/// What a Start is decided with, beside the stream.
struct Ask {
    token: TokenDigest,
    session: SessionId,
    account_cuts: Cuts,
    limits: Limits,
}

impl Sessions {
    /// Opens a session on the evidence of a flow; a Start that is sent again gets the first answer while the session
    /// lives.
    ///
    /// The evidence is read before the append. What ends the flow in between stands before SessionStarted in the log,
    /// so folding up to it shows whether the session ever lived.
    ///
    /// # Errors
    /// [`Error::Flow`]; after [`Error::Log`] the session may have started, and the same call tells.
    pub async fn start(&self, flow_id: FlowId, secret: &[u8]) -> Result<Started, Error> {
        let entries = self.inner.log.flow(flow_id).await?;
        let flow = Flow::fold(&entries)?;
        let account = flow.open_with(secret).map_err(Error::Flow)?.account;
        let token = Token::derive(secret, flow_id).ok_or(Error::Internal)?;
        if matches!(flow, Flow::Used(..)) {
            return self.started_before(token).await;
        }
        let ask = Ask {
            token: token.digest(),
            session: SessionId::new(self.inner.log.now(), sekisho_service::entropy::bytes()),
            account_cuts: account_cuts(&self.inner.log, account).await?,
            limits: self.inner.limits,
        };
        let context = Context::new(account, Some(flow_id), ACTOR);
        let decided = self.inner.log.decide(&context, |facts| ask.decide(facts)).await;
        match decided.map_err(Error::from) {
            Ok(Decided::Recorded { recorded, .. } | Decided::Repeated { recorded, .. }) => {
                self.wait_for(recorded.position).await?;
                self.started(token).await
            }
            Ok(Decided::Nothing(_)) => Err(Error::Internal),
            Err(Error::Flow(Refusal::Used)) => self.started_before(token).await,
            Err(error) => Err(error),
        }
    }

    /// The first answer, for a Start that is sent again.
    async fn started_before(&self, token: Token) -> Result<Started, Error> {
        self.newest().await?;
        self.started(token).await
    }

    async fn wait_for(&self, position: Position) -> Result<(), Error> {
        let Mark { history, .. } = self.inner.log.mark();
        let reached = self.inner.view.reach(Mark { history, position }, PATIENCE).await;
        reached.then_some(()).ok_or(Error::Log(LogFault::Unavailable))
    }

    /// The session of a token whose SessionStarted is folded, if it lives.
    async fn started(&self, token: Token) -> Result<Started, Error> {
        match self.look_up(token.digest()) {
            Ok(checked) => Ok(Started {
                token,
                session: checked.session,
                position: checked.position,
                previous_started_at: self.previous_start(checked.position).await?,
            }),
            Err(Error::Over(why)) => Err(Error::Flow(self.refusal(token.digest(), why))),
            Err(Error::Unknown) => Err(Error::Flow(Refusal::Used)),
            Err(error) => Err(error),
        }
    }

    /// What a SessionStarted says of the account's session before it.
    async fn previous_start(&self, position: Position) -> Result<Option<OffsetDateTime>, Error> {
        let entry = self.inner.log.entry(position).await?.ok_or(Error::Internal)?;
        match entry.event()? {
            SessionEvent::SessionStarted(started) => {
                Ok(started.previous_started_at.as_ref().and_then(from_timestamp))
            }
            SessionEvent::SessionExtended(_)
            | SessionEvent::SessionEnded(_)
            | SessionEvent::SessionsCut(_) => Err(Error::Internal),
        }
    }

    /// Why a flow whose session is over opens nothing.
    fn refusal(&self, token: TokenDigest, why: Why) -> Refusal {
        let stage = self
            .inner
            .view
            .ask(|directory| directory.find(token).map(|session| session.stage));
        match (stage, why) {
            (Some(Stage::Stillborn(refusal)), _) => refusal,
            (_, Why::Cut) => Refusal::Cut,
            (_, Why::SignedOut | Why::Idle | Why::Absolute | Why::Revoked | Why::Displaced) => Refusal::Used,
        }
    }
}

impl Ask {
    fn decide(&self, facts: &Facts<AccountSessions>) -> Result<Decision<SessionEvent>, Error> {
        let flow = Flow::fold(&facts.flow)?;
        self.decide_flow(&flow, facts).map_err(Error::from)
    }

    fn decide_flow(
        &self,
        flow: &Flow,
        facts: &Facts<AccountSessions>,
    ) -> Result<Decision<SessionEvent>, Rejection> {
        let cuts = self.account_cuts.and(facts.state.cuts());
        let evidence = flow.evidence(Mint::SignIn, cuts, facts.now);
        let (minted, proof) = evidence.map_err(Rejection::Flow)?;
        let start = Start {
            minted,
            proof,
            token: self.token,
            session: self.session,
            now: facts.now,
            limits: self.limits,
        };
        decide(&facts.state, &Command::Start(Box::new(start)))
    }
}
