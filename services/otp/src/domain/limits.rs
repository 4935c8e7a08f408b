//! The numbers of the rule book.

use time::{Duration, OffsetDateTime};

/// How long a code lives, from its issue (screens 1.4; OWASP ASVS 6.5.5, NIST SP 800-63B).
pub const CODE_LIFE: Duration = Duration::minutes(10);

/// Wrong tries after which a code is dead, even for the right digits (screens 1.4).
pub const TRIES: u32 = 5;

/// How long after its first step a flow may ask for codes (design, "Flows" 2).
pub const FLOW_AGE: Duration = Duration::minutes(60);

/// How long a flow waits for whoever is in it (screens 2.5 and 2.6). What is only looked at stands in no log: pressing a button counts.
pub const FLOW_IDLE: Duration = Duration::minutes(30);

/// Between two codes of one flow (screens, part 6).
pub const RESEND_WAIT: Duration = Duration::seconds(60);

/// Wrong codes in a row after which the second step is locked, each time so many more (screens, part 6; NIST SP 800-63B, 3.2.2).
pub const LOCKED_EACH: u32 = 15;
/// For how long.
pub const LOCK: prost_types::Duration = prost_types::Duration {
    seconds: 30 * 60,
    nanos: 0,
};
/// Wrong codes in a row after which it is closed until somebody pardons.
pub const CLOSED_AT: u32 = 50;

/// One refusal of a code in so long is recorded; others get the same answer.
pub(super) const REFUSALS: Duration = Duration::minutes(1);

/// A mail is handed over only while what it brings still lives as long as this.
pub const LAST_HAND_OVER: Duration = Duration::minutes(2);

/// How long after its last code a flow stays in the fold. Not shorter than [`FLOW_AGE`]: a flow that has left may not
/// ask for a code again, so nothing that was counted is ever forgotten too early.
pub(super) const REMEMBERED: Duration = FLOW_AGE;

/// Flows of one purpose in the fold, at most: what every 64th entry carries must fit into an entry. Resets, which
/// anyone can start, push out resets only, never a sign-in.
pub(super) const FLOWS: usize = 12;

/// Replaced codes of one flow that are still told apart from wrong ones, at most.
pub(super) const REPLACED: usize = 8;

/// Bytes of a key's id, at most: it stands in every CodeIssued and in the carried state.
pub const MAX_KEY_ID: usize = 32;

/// Pauses between attempts at one mail, each so many times as long as the one before.
pub(super) struct Pauses {
    first: Duration,
    factor: i32,
    longest: Duration,
}

/// Somebody waits for a code.
pub(super) const CODE_PAUSES: Pauses = Pauses {
    first: Duration::seconds(2),
    factor: 2,
    longest: Duration::minutes(1),
};

/// The pause after the first attempt at a notice.
pub const NOTICE_PAUSE: Duration = Duration::minutes(1);

/// A notice may come hours later, and each attempt is two entries of the log.
pub(super) const NOTICE_PAUSES: Pauses = Pauses {
    first: NOTICE_PAUSE,
    factor: 4,
    longest: Duration::hours(4),
};

impl Pauses {
    /// After a failed attempt, which is counted from 1. Chance lengthens it by up to a quarter, so that not everything comes back to a
    /// relay at once.
    pub fn after(&self, attempt: u32, chance: u8) -> Duration {
        let times = self.factor.saturating_pow(attempt.saturating_sub(1).min(10));
        let pause = self.first.saturating_mul(times).min(self.longest);
        pause + pause / 4 * (f64::from(chance) / f64::from(u8::MAX))
    }
}

/// Whether what expires then is too old to be mailed at `now`.
pub fn too_late_to_mail(expires_at: OffsetDateTime, now: OffsetDateTime) -> bool {
    now > expires_at - LAST_HAND_OVER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_those_of_notices_to_hours() {
        let pauses = |of: &Pauses| -> Vec<i64> {
            (1..=7)
                .map(|attempt| of.after(attempt, 0).whole_seconds())
                .collect()
        };
        assert_eq!(pauses(&CODE_PAUSES), [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(
            pauses(&NOTICE_PAUSES),
            [60, 240, 960, 3_840, 14_400, 14_400, 14_400]
        );
        assert_eq!(CODE_PAUSES.after(u32::MAX, 0), CODE_PAUSES.longest);
        assert_eq!(NOTICE_PAUSES.after(u32::MAX, 0), NOTICE_PAUSES.longest);
    }

    #[test]
    fn chance_lengthens_a_pause_by_up_to_a_quarter() {
        assert_eq!(CODE_PAUSES.after(3, u8::MAX), Duration::seconds(10));
        let between = CODE_PAUSES.after(3, 128);
        assert!(
            between > Duration::seconds(8) && between < Duration::seconds(10),
            "{between}"
        );
    }
}
