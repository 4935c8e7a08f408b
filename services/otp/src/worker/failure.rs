//! Why a mail was not handed over.

use sekisho_proto::otp::v1::mail_failed::Class;

/// Why a mail was not handed over. Holds no text of the relay, which likes to repeat addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not handed over: {class:?}, reply {reply}")]
pub struct Failure {
    /// What kind; decides whether there is another attempt.
    pub class: Class,
    /// The relay's reply code; 0 without one.
    pub reply: u16,
}

impl Failure {
    /// Without a reply of the relay.
    pub fn of(class: Class) -> Self {
        Self { class, reply: 0 }
    }
}
