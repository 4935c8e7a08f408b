//! The numbers of the rule book.

use time::{Duration, OffsetDateTime};

/// How long a code lives, from its issue (screens 1.4; OWASP ASVS 6.5.5, NIST SP 800-63B).
pub const CODE_LIFE: Duration = Duration::minutes(10);

/// Wrong tries after which a code is dead, even for the right digits (screens 1.4).
pub const TRIES: u32 = 5;

/// How long after its first step a flow may ask for codes (design, "Flows" 2).
pub const FLOW_AGE: Duration = Duration::minutes(60);

/// Codes for resets of one account in an hour (screens, part 6), asked for by strangers. Whoever knows a login id can do so:
/// they are counted apart from all others.
const RESETS_AN_HOUR: usize = 3;
/// In a day.
pub(super) const RESETS_A_DAY: usize = 6;

/// How long a reset's code counts.
pub(super) const RESETS_COUNT: Duration = Duration::DAY;

/// One refusal of a code in so long is recorded; others get the same answer.
pub(super) const REFUSALS: Duration = Duration::minutes(1);

/// A mail is handed over only while its code still lives as long as this.
pub const LAST_HAND_OVER: Duration = Duration::minutes(2);

/// How long after its last code a flow stays in the fold. Not shorter than [`FLOW_AGE`]: a flow that has left may not
/// ask for a code again, so nothing that was counted is ever forgotten too early.
pub(super) const REMEMBERED: Duration = FLOW_AGE;

/// Flows of one purpose in the fold, at most: what every 64th entry carries must fit into an entry. Resets, which
/// anyone can start, push out resets only, never a sign-in.
pub(super) const FLOWS: usize = 16;

/// Replaced codes of one flow that are still told apart from wrong ones, at most.
pub(super) const REPLACED: usize = 8;

/// Bytes of a key's id, at most: it stands in every CodeIssued and in the carried state.
pub const MAX_KEY_ID: usize = 32;

/// The first pause after a failed attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::seconds(2);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::seconds(60);

/// The pause after a failed attempt, which is counted from 1.
pub fn back_off(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(8);
    (FIRST_PAUSE * (1_i32 << doublings)).min(LONGEST_PAUSE)
}

/// Whether a code that expires then is too old to be mailed at `now`.
pub fn too_late_to_mail(expires_at: OffsetDateTime, now: OffsetDateTime) -> bool {
    now > expires_at - LAST_HAND_OVER
}

/// Whether another code for a reset would be one too many, after those that were issued at these moments.
pub(super) fn too_many_resets(issued_at: &[OffsetDateTime], now: OffsetDateTime) -> bool {
    let within = |time: Duration| issued_at.iter().filter(|at| now < **at + time).count();
    within(Duration::HOUR) >= RESETS_AN_HOUR || within(RESETS_COUNT) >= RESETS_A_DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute() {
        let pauses: Vec<_> = (1..=7).map(|attempt| back_off(attempt).whole_seconds()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(back_off(u32::MAX), LONGEST_PAUSE);
    }
}
