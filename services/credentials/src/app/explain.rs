//! What lately happened to somebody, for the help desk.

use std::collections::{HashMap, HashSet};

use sekisho_eventlog::{Entry, FlowId, Position, StreamId};
use sekisho_proto::Kind;
use sekisho_proto::events::{AccountEvent, CodeEvent};
use sekisho_service::enquiry::Enquiry;
use time::{Duration, OffsetDateTime};

use super::{App, Error, Overview};
use crate::domain::TypedLogin;

/// How far back anybody looks: whoever rings does so within days.
const RECENT: Duration = Duration::days(14);
/// Attempts that are told, at most; what administrators did comes beside them.
const ATTEMPTS: usize = 10;
/// Entries of the account, and mails to it, that are looked at for them.
const ENTRIES: u32 = 200;
/// Positions that are looked at in one step of a search for an enquiry number.
const STEP: u64 = 50_000;

/// Whom somebody asks about.
#[derive(Debug, Clone)]
pub enum Question {
    /// Whoever has this login id, or typed it.
    Login(String),
    /// Whoever saw this number on a page.
    Enquiry(Enquiry),
}

/// What is known about it.
pub struct Explanation {
    /// The account; `None` if nobody has the login id.
    pub account: Option<Overview>,
    /// What happened, newest first; what was asked for before everything else.
    pub episodes: Vec<Episode>,
    /// The log's time.
    pub now: OffsetDateTime,
}

/// Something that happened: an attempt with everything that came of it, or what an administrator did; with the notices that
/// tell of it.
pub struct Episode {
    /// In order; never empty.
    pub entries: Vec<Entry>,
    /// The number that pages of the flow showed.
    pub enquiry: Option<Enquiry>,
}

/// Whom a question is about.
struct Asked {
    stream: StreamId,
    account: Option<Overview>,
    flow: Option<FlowId>,
}

impl App {
    /// What lately happened to an account, or to a login id that nobody has.
    ///
    /// # Errors
    /// [`Error::EnquiryUnknown`].
    pub async fn explain(&self, question: Question) -> Result<Explanation, Error> {
        let now = self.log.now();
        let since = self.log.before(now - RECENT).await?;
        let asked = match question {
            Question::Login(typed) => self.asked_by_login(&TypedLogin::read(&typed)).await?,
            Question::Enquiry(enquiry) => self.asked_by_enquiry(enquiry, since).await?,
        };
        Ok(Explanation {
            episodes: self.episodes(&asked, since).await?,
            account: asked.account,
            now,
        })
    }

    async fn asked_by_login(&self, login: &TypedLogin) -> Result<Asked, Error> {
        let row = match login {
            TypedLogin::Possible(login) => self.store.row(login).await?,
            TypedLogin::Impossible(_) => None,
        };
        Ok(match row {
            Some(row) => Asked {
                stream: StreamId(row.account_id),
                account: Some(self.overview(row).await?),
                flow: None,
            },
            None => Asked {
                stream: self.keys.phantoms.stream(login.as_str()),
                account: None,
                flow: None,
            },
        })
    }

    /// Nothing finds a flow by its number, so all are looked at, the newest first: whoever rings has just seen the page.
    async fn asked_by_enquiry(&self, enquiry: Enquiry, since: Position) -> Result<Asked, Error> {
        let mut upto = self.log.head();
        while upto > since {
            let after = Position(upto.0.saturating_sub(STEP)).max(since);
            let flows = self.log.flows(Kind::Account, after, upto).await?;
            let is_asked_for = |(flow, _): &(FlowId, StreamId)| enquiry_of(*flow) == enquiry;
            if let Some((flow, stream)) = flows.into_iter().find(is_asked_for) {
                let account = match self.store.row_of(stream).await? {
                    Some(row) => Some(self.overview(row).await?),
                    None => None,
                };
                return Ok(Asked {
                    stream,
                    account,
                    flow: Some(flow),
                });
            }
            upto = after;
        }
        Err(Error::EnquiryUnknown)
    }

    async fn episodes(&self, asked: &Asked, since: Position) -> Result<Vec<Episode>, Error> {
        let newest = self
            .log
            .newest::<AccountEvent>(AccountEvent::TYPES, asked.stream, since, ENTRIES)
            .await?;
        let mut notices = self.notices(asked.stream, since).await?;
        let mut told = HashSet::new();
        let mut episodes = Vec::new();
        if let Some(flow) = asked.flow {
            told.insert(flow);
            episodes.push(self.episode_of(flow).await?);
        }
        let mut attempts = 0;
        for entry in newest {
            if is_attempt(&entry) && attempts == ATTEMPTS {
                continue;
            }
            let episode = match entry.recorded.flow {
                Some(flow) if !told.insert(flow) => continue,
                Some(flow) => self.episode_of(flow).await?,
                None => Episode {
                    entries: vec![entry],
                    enquiry: None,
                },
            };
            attempts += usize::from(episode.entries.iter().any(is_attempt));
            episodes.push(episode);
        }
        for episode in &mut episodes {
            let told: Vec<Entry> = episode
                .entries
                .iter()
                .filter_map(|entry| notices.remove(&entry.recorded.position))
                .flatten()
                .collect();
            episode.entries.extend(told);
        }
        Ok(episodes)
    }

    async fn episode_of(&self, flow: FlowId) -> Result<Episode, Error> {
        Ok(Episode {
            entries: self.log.flow(flow).await?,
            enquiry: Some(enquiry_of(flow)),
        })
    }

    /// What became of mails that belong to no flow, by the position that owes them.
    async fn notices(
        &self,
        stream: StreamId,
        since: Position,
    ) -> Result<HashMap<Position, Vec<Entry>>, Error> {
        let newest = self
            .log
            .newest::<CodeEvent>(CodeEvent::TYPES, stream, since, ENTRIES)
            .await?;
        let mut notices: HashMap<Position, Vec<Entry>> = HashMap::new();
        for entry in newest
            .into_iter()
            .rev()
            .filter(|entry| entry.recorded.flow.is_none())
        {
            let about = match entry.event::<CodeEvent>() {
                Ok(CodeEvent::MailStarted(event)) => event.about,
                Ok(CodeEvent::Mailed(event)) => event.about,
                Ok(CodeEvent::MailFailed(event)) => event.about,
                Ok(_) | Err(_) => continue,
            };
            notices.entry(Position(about)).or_default().push(entry);
        }
        Ok(notices)
    }
}

fn enquiry_of(flow: FlowId) -> Enquiry {
    Enquiry::of_flow(*flow.0.as_bytes())
}

/// Whether somebody tried to get in; what this version does not understand is told as something else.
fn is_attempt(entry: &Entry) -> bool {
    entry
        .event::<AccountEvent>()
        .is_ok_and(|event| event.is_attempt())
}
