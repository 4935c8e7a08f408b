//! Login ids that nobody has.

use sekisho_eventlog::{EventId, StreamId};
use sekisho_service::mac;
use sekisho_service::settings::KeyRing;
use time::{Date, OffsetDateTime};
use uuid::Builder;

use super::personal::PersonalKey;
use crate::domain::{Device, Identity, SubjectIdentifier};

/// What is derived from the phantom key: without it nobody can tell which login id a phantom stands for.
#[derive(Debug, Clone)]
pub struct Phantoms {
    keys: KeyRing,
}

impl Phantoms {
    /// Derives from the current key of a ring.
    pub fn new(keys: KeyRing) -> Self {
        Self { keys }
    }

    /// The stream of a login id that nobody has: a UUIDv8, which no account id is.
    pub fn stream(&self, login_id: &str) -> StreamId {
        uuid_of(&self.derive("sekisho/phantom/1", &[login_id.as_bytes()]))
    }

    /// What the log keeps of a person at the provider.
    pub fn identity(&self, issuer: &str, subject: &SubjectIdentifier) -> Identity {
        let parts = [issuer.as_bytes(), subject.as_str().as_bytes()];
        Identity(self.derive("sekisho/identity/1", &parts))
    }

    /// The stream of a person whom the provider knows and nobody here.
    pub fn stream_of_identity(&self, issuer: &str, subject: &SubjectIdentifier) -> StreamId {
        let parts = [issuer.as_bytes(), subject.as_str().as_bytes()];
        uuid_of(&self.derive("sekisho/phantom-identity/1", &parts))
    }

    /// The key that seals the browsers of all phantoms for a month: that of the event's id, a UUIDv7.
    pub fn key(&self, event: EventId) -> PersonalKey {
        let month = month_of(event).unwrap_or_default();
        PersonalKey::derived(self.derive("sekisho/phantom-key/1", &[month.as_bytes()]))
    }

    /// A typed password as it enters the digest of its form: who reads the log learns nothing, even with the form's id.
    pub fn digest_of(&self, password: &str) -> [u8; 32] {
        self.derive("sekisho/form-password/1", &[password.as_bytes()])
    }

    /// What the log keeps of a device cookie. Other accounts keep something else of the same one, so that nobody finds out
    /// from the log who shares a terminal.
    pub fn device(&self, stream: StreamId, cookie: &[u8]) -> Device {
        Device(self.derive("sekisho/device/1", &[stream.0.as_bytes(), cookie]))
    }

    pub(super) fn derive(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let (_, key) = self.keys.current();
        mac::derive(key, label, parts)
    }
}

fn uuid_of(digest: &[u8; 32]) -> StreamId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    StreamId(Builder::from_custom_bytes(bytes).into_uuid())
}

/// `2026-03`. The id keeps its moment, so whoever opens the seal finds the same month as whoever made it.
fn month_of(event: EventId) -> Option<String> {
    let (seconds, _) = event.0.get_timestamp()?.to_unix();
    let moment = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    date_text(moment.date()).get(..7).map(str::to_owned)
}

fn date_text(date: Date) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    )
}
