//! What an event says, for people and for programs.

mod account;
mod client;
mod code;
mod session;
mod system;

pub use code::topic_in_words;

use sekisho_proto::{Event, Kind};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::entries::Line;
use crate::text;

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// In Japanese.
    pub title: &'static str,
    /// Its fields.
    pub facts: Vec<Fact>,
}

/// One field of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// For people, in Japanese.
    pub label: &'static str,
    /// For programs.
    pub key: &'static str,
    /// What it says.
    pub value: Value,
}

/// What a field says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A count, a version, a position.
    Number(u64),
    /// Several positions.
    Numbers(Vec<u64>),
    /// A text of the event.
    Text(String),
    /// A word of a closed set: for people and for programs.
    Word(&'static str, &'static str),
    /// By the log's clock.
    Moment(OffsetDateTime),
    /// Ids.
    Ids(Vec<Uuid>),
    /// Only the beginning is ever shown.
    Digest(Vec<u8>),
    /// Sealed under a key of the account: whether there is something inside.
    Sealed(bool),
    /// Whether it is so.
    Flag(bool),
}

impl Said {
    /// What an entry says; `None` for an event that this version does not know or that is damaged.
    pub fn by(line: &Line) -> Option<Self> {
        let bytes = line.event.as_deref()?;
        let kind: Kind = line.kind.parse().ok()?;
        match kind {
            Kind::Account => Some(account::said(&decoded(line, bytes)?)),
            Kind::Code => Some(code::said(&decoded(line, bytes)?)),
            Kind::Session => Some(session::said(&decoded(line, bytes)?)),
            Kind::System => Some(system::said(&decoded(line, bytes)?)),
            Kind::Client => Some(client::said(&decoded(line, bytes)?)),
            Kind::Audit => None,
        }
    }

    fn new(title: &'static str) -> Self {
        Self {
            title,
            facts: Vec::new(),
        }
    }

    fn with(mut self, label: &'static str, key: &'static str, value: Value) -> Self {
        self.facts.push(Fact { label, key, value });
        self
    }

    /// With a fact only if there is something to say.
    fn with_some(self, label: &'static str, key: &'static str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(label, key, value),
            None => self,
        }
    }
}

impl Value {
    /// For people.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Numbers(numbers) => joined(numbers.iter().map(u64::to_string)),
            Self::Text(text) => text::clean(text),
            Self::Word(word, _) => (*word).to_owned(),
            Self::Moment(moment) => text::jst(*moment),
            Self::Ids(ids) => joined(ids.iter().map(Uuid::to_string)),
            Self::Digest(bytes) => text::digest(bytes),
            Self::Sealed(true) => "封印".to_owned(),
            Self::Sealed(false) => "なし".to_owned(),
            Self::Flag(flag) => if *flag { "はい" } else { "いいえ" }.to_owned(),
        }
    }

    /// For programs.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Number(number) => json!(number),
            Self::Numbers(numbers) => json!(numbers),
            Self::Text(text) => json!(text),
            Self::Word(_, word) => json!(word),
            Self::Moment(moment) => json!(moment.format(&Rfc3339).unwrap_or_default()),
            Self::Ids(ids) => json!(ids.iter().map(Uuid::to_string).collect::<Vec<_>>()),
            Self::Digest(bytes) => json!(text::digest(bytes)),
            Self::Sealed(true) => json!("封印"),
            Self::Sealed(false) => serde_json::Value::Null,
            Self::Flag(flag) => json!(flag),
        }
    }
}

fn decoded<E: Event>(line: &Line, bytes: &[u8]) -> Option<E> {
    E::decode(&line.event_type, bytes).ok()
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn lock_seconds(lock: Option<&prost_types::Duration>) -> Option<Value> {
    u64::try_from(lock?.seconds).ok().map(Value::Number)
}

fn moment(timestamp: Option<&prost_types::Timestamp>) -> Option<Value> {
    sekisho_proto::from_timestamp(timestamp?).map(Value::Moment)
}

fn id(bytes: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(bytes).ok()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
