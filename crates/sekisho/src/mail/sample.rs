//! Mails of one account, for tests.

use sekisho_proto::events::CodeEvent;
use sekisho_proto::log::v1::Metadata;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::otp::v1::{CodeIssued, MailFailed, MailStarted, Mailed, Purpose};
use sekisho_proto::{Event as _, to_timestamp};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::fate::{End, Mails};
use crate::log::Line;

pub(super) const START: OffsetDateTime = datetime!(2026-03-02 01:00 UTC);

/// Entries of one account, a second apart.
#[derive(Default)]
pub(super) struct Story {
    pub mails: Mails,
    position: i64,
}

impl Story {
    pub fn and(mut self, flow: Option<u128>, event: impl Into<CodeEvent>) -> Self {
        self.fold(Uuid::from_u128(9), flow, &event.into());
        self
    }

    pub fn fold(&mut self, stream: Uuid, flow: Option<u128>, event: &CodeEvent) {
        self.position += 1;
        let line = Line {
            position: self.position,
            kind: "code".to_owned(),
            stream,
            version: self.position,
            flow: flow.map(Uuid::from_u128),
            event_type: event.event_type().to_owned(),
            recorded_at: START + Duration::seconds(self.position),
            event: Some(event.encode()),
            metadata: Metadata {
                service: "otp/a".to_owned(),
                ..Metadata::default()
            },
        };
        self.mails.fold(&line).unwrap();
    }

    pub fn ends(self, after: Duration) -> Vec<Option<End>> {
        let all = self.mails.at(START + after);
        all.into_iter().map(|mail| mail.end).collect()
    }
}

pub(super) fn issued() -> CodeIssued {
    CodeIssued {
        purpose: Purpose::SignIn.into(),
        reference: "CFHJ".to_owned(),
        expires_at: Some(to_timestamp(START + Duration::minutes(10))),
        ..CodeIssued::default()
    }
}

pub(super) fn started(about: u64, attempt: u32) -> MailStarted {
    MailStarted {
        about,
        attempt,
        ..MailStarted::default()
    }
}

pub(super) fn failed(about: u64, class: Class, will_retry: bool) -> MailFailed {
    MailFailed {
        about,
        attempt: 1,
        class: class.into(),
        reply: 451,
        will_retry,
    }
}

pub(super) fn mailed(about: u64) -> Mailed {
    Mailed {
        about,
        attempt: 1,
        reply: 250,
    }
}
