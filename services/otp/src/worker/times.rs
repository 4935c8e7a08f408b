//! How long the steps of a delivery may take, and what follows from it.

use std::time::Duration;

use sekisho_service::entropy;

/// Mails that one replica hands over at the same time.
pub(super) const MAILS_AT_ONCE: usize = 4;
/// Notices among them: a slow relay that holds them must not keep anybody's code waiting.
pub(super) const NOTICES_AT_ONCE: usize = 1;

/// Asking credentials for the address.
pub(super) const ADDRESS: Duration = Duration::from_secs(2);
/// A TCP connection to the relay.
pub(super) const CONNECT: Duration = Duration::from_secs(3);
/// TLS, greeting, EHLO and sign-in, together: relays let strangers wait for the greeting, ten seconds are not rare.
pub(super) const GREETING: Duration = Duration::from_secs(12);
/// Each SMTP command: NOOP on a kept connection, MAIL, RCPT, DATA.
pub(super) const COMMAND: Duration = Duration::from_secs(5);
/// The letter, up to the reply that the relay has taken it.
pub(super) const CONTENT: Duration = Duration::from_secs(20);
/// The last look into the log.
pub(super) const LAST_LOOK: Duration = Duration::from_secs(6);

/// From the beginning of the last look on, a hand-over takes at most this long.
pub(super) const FROM_LAST_LOOK: Duration = LAST_LOOK.saturating_add(COMMAND).saturating_add(CONTENT);

/// How long a claim holds: beyond the sum of all time-outs, so that two workers never hand over at the same time.
pub(super) const CLAIM: Duration = Duration::from_secs(80);
const _: () = {
    let commands = COMMAND.saturating_mul(3);
    let before = ADDRESS
        .saturating_add(CONNECT)
        .saturating_add(GREETING)
        .saturating_add(commands);
    let whole = before.saturating_add(FROM_LAST_LOOK);
    assert!(whole.as_secs() + 15 < CLAIM.as_secs());
};

/// How long a claim or an outcome is tried to be recorded while the log gives no answer.
pub(super) const UNANSWERED: Duration = Duration::from_mins(1);
/// Between two tries.
pub(super) const UNANSWERED_PAUSE: Duration = Duration::from_millis(250);

/// How long a mail is left alone after this replica has let go of it, so that the follower can read why.
pub(super) const LOST: Duration = Duration::from_millis(700);

/// How long the mails at hand may take once the process drains.
pub(super) const DRAIN: Duration = Duration::from_secs(15);

/// What differs each time, so that replicas seldom do the same at the same moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chances {
    /// How long a new mail is left to the replica that NATS has woken.
    pub grace: time::Duration,
    /// How much longer than the shortest a pause is.
    pub pause: u8,
}

/// A grace between 0.4 and 0.9 s, and any pause.
pub(super) fn chances() -> Chances {
    let [grace, pause] = entropy::bytes::<2>();
    Chances {
        grace: time::Duration::milliseconds(400 + 2 * i64::from(grace)),
        pause,
    }
}
