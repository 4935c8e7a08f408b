//! What an installation may choose within the rule book.

use std::time::Duration;

use time::OffsetDateTime;

use super::lockout::Lockout;

/// The choices of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// When wrong passwords lock.
    pub lockout: Lockout,
    /// What a new password must be.
    pub new_passwords: NewPasswords,
    /// What becomes of distributed passwords.
    pub initial_passwords: InitialPasswords,
    /// The least time that a denial takes, whatever it is for.
    pub denial_time: Duration,
}

/// What a new password must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPasswords {
    /// The shortest, in code points.
    pub shortest: usize,
    /// Names of this system that stand in no password, beside those of the person and the facility.
    pub words: Vec<String>,
}

/// What becomes of a password that was distributed: whoever printed the letter has seen it (OWASP ASVS 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InitialPasswords {
    /// It opens the choice of another one and nothing else.
    pub must_change: bool,
    /// After so long it does the same; `None` for never.
    pub life: Option<Duration>,
}

impl InitialPasswords {
    /// Whether a distributed password signs in no more at a moment.
    pub fn must_be_changed(&self, since: OffsetDateTime, now: OffsetDateTime) -> bool {
        let age = Duration::try_from(now - since).unwrap_or_default();
        self.must_change || self.life.is_some_and(|life| age >= life)
    }
}

impl Default for NewPasswords {
    fn default() -> Self {
        Self {
            shortest: 15,
            words: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn a_distributed_password_is_as_good_as_any_until_somebody_says_otherwise() {
        let years_later = SINCE + Duration::from_hours(24 * 3_650);
        assert!(!InitialPasswords::default().must_be_changed(SINCE, years_later));
    }

    #[test]
    fn a_distributed_password_expires_at_its_moment() {
        let two_weeks = Duration::from_hours(24 * 14);
        let rules = InitialPasswords {
            life: Some(two_weeks),
            ..InitialPasswords::default()
        };
        assert!(!rules.must_be_changed(SINCE, SINCE + two_weeks - Duration::from_millis(1)));
        assert!(rules.must_be_changed(SINCE, SINCE + two_weeks));
    }
}
