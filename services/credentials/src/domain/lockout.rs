//! Wrong passwords in a row, and when they lock (screens 1.5: the smart lockout of Azure AD B2C, with its own numbers).

use std::time::Duration;

use time::OffsetDateTime;

/// How often a wrong password may be repeated without counting, between two right ones. More of them count, so that what
/// repeats them for ever fills no log.
const FREE_REPEATS: u32 = 50;

/// When failures lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// The failure in a row that locks first; each further one locks again.
    pub threshold: u32,
    /// The first ten locks. Each ten of them are twice as long as the ten before.
    pub first: Duration,
    /// The longest lock.
    pub longest: Duration,
    /// The failure in a row after which only a new password helps (NIST SP 800-63B-4 §3.2.2: at most 100).
    pub closes_at: u32,
}

/// What a wrong password comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// It counts, and does not lock yet.
    Counts,
    /// A wrong password of before, once more: it does not count.
    Repeats,
    /// It locks for so long.
    Locks(Duration),
    /// It locks until a new password is set.
    Closes,
}

/// The wrong passwords in a row of one known browser, or of all unknown ones together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// Those that count.
    pub counted: u32,
    /// Those that repeated a wrong one of before.
    pub repeated: u32,
    /// Nothing is told of a password before this moment.
    pub locked_until: Option<OffsetDateTime>,
    /// Nothing is told of a password until a new one is set.
    pub closed: bool,
}

impl Lockout {
    /// What one more wrong password comes to.
    pub fn consequence(&self, failures: &Failures, is_repeated: bool) -> Consequence {
        if is_repeated && failures.repeated < FREE_REPEATS {
            return Consequence::Repeats;
        }
        let counted = failures.counted.saturating_add(1);
        if counted >= self.closes_at {
            return Consequence::Closes;
        }
        match counted.checked_sub(self.threshold) {
            None => Consequence::Counts,
            Some(locks_before) => Consequence::Locks(self.period(locks_before)),
        }
    }

    /// How long the lock with this number lasts, counted from 0.
    fn period(&self, number: u32) -> Duration {
        let doublings = number / 10;
        let factor = 2_u32.checked_pow(doublings);
        factor
            .and_then(|factor| self.first.checked_mul(factor))
            .map_or(self.longest, |period| period.min(self.longest))
    }
}

impl Default for Lockout {
    fn default() -> Self {
        Self {
            threshold: 10,
            first: Duration::from_mins(1),
            longest: Duration::from_hours(5),
            closes_at: 100,
        }
    }
}

impl Failures {
    /// Whether nothing may be told of a password that is typed now.
    pub fn are_locked(&self, now: OffsetDateTime) -> bool {
        self.closed || self.locked_until.is_some_and(|until| now < until)
    }

    /// Nothing to forget.
    pub fn is_clear(&self) -> bool {
        *self == Self::default()
    }

    /// After one more, recorded at that moment.
    #[must_use]
    pub fn after(self, consequence: Consequence, at: OffsetDateTime) -> Self {
        let counted = self.counted.saturating_add(1);
        match consequence {
            Consequence::Counts => Self { counted, ..self },
            Consequence::Repeats => Self {
                repeated: self.repeated.saturating_add(1),
                ..self
            },
            Consequence::Locks(period) => Self {
                counted,
                locked_until: Some(at.saturating_add(period.try_into().unwrap_or(time::Duration::MAX))),
                ..self
            },
            Consequence::Closes => Self {
                counted,
                closed: true,
                ..self
            },
        }
    }

    /// After an administrator has ended the locks. What only a new password ends stays.
    #[must_use]
    pub fn unlocked(self) -> Self {
        if self.closed { self } else { Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    /// What each wrong password comes to, one after another, all of them different.
    fn consequences(lockout: &Lockout) -> Vec<Consequence> {
        let mut failures = Failures::default();
        let mut all = Vec::new();
        while !failures.closed {
            let consequence = lockout.consequence(&failures, false);
            failures = failures.after(consequence, NOW);
            all.push(consequence);
        }
        all
    }

    #[test]
    fn the_tenth_failure_locks_for_a_minute_and_the_hundredth_closes() {
        let all = consequences(&Lockout::default());
        assert_eq!(all.len(), 100);
        assert!(all[..9].iter().all(|each| *each == Consequence::Counts));
        assert_eq!(all[99], Consequence::Closes);
        let seconds: Vec<u64> = all[9..99]
            .iter()
            .map(|each| match each {
                Consequence::Locks(period) => period.as_secs(),
                other => panic!("{other:?}"),
            })
            .collect();
        for (number, seconds) in seconds.iter().enumerate() {
            assert_eq!(*seconds, 60 << (number / 10), "lock {number}");
        }
    }

    #[test]
    fn no_lock_is_longer_than_the_longest() {
        let lockout = Lockout {
            closes_at: 2_000,
            ..Lockout::default()
        };
        let all = consequences(&lockout);
        let longest = Consequence::Locks(Duration::from_hours(5));
        assert_eq!(all[98], Consequence::Locks(Duration::from_mins(1 << 8)));
        assert!(all[99..1_999].iter().all(|each| *each == longest));
    }

    #[test]
    fn the_same_wrong_password_counts_once_until_it_is_repeated_for_ever() {
        let lockout = Lockout::default();
        let mut failures = Failures::default().after(lockout.consequence(&Failures::default(), false), NOW);
        for _ in 0..50 {
            let consequence = lockout.consequence(&failures, true);
            assert_eq!(consequence, Consequence::Repeats);
            failures = failures.after(consequence, NOW);
        }
        assert_eq!(failures.counted, 1);
        assert_eq!(lockout.consequence(&failures, true), Consequence::Counts);
        assert!(!failures.are_locked(NOW));
    }

    #[test]
    fn a_lock_ends_at_its_moment_and_a_closing_never() {
        let minute = Duration::from_mins(1);
        let locked = Failures::default().after(Consequence::Locks(minute), NOW);
        assert!(locked.are_locked(NOW + time::Duration::milliseconds(59_999)));
        assert!(!locked.are_locked(NOW + minute));
        let closed = Failures::default().after(Consequence::Closes, NOW);
        assert!(closed.are_locked(NOW + time::Duration::days(10_000)));
    }

    #[test]
    fn an_administrator_ends_locks_but_not_a_closing() {
        let locked = Failures::default().after(Consequence::Locks(Duration::from_mins(1)), NOW);
        assert!(locked.unlocked().is_clear());
        let closed = Failures::default().after(Consequence::Closes, NOW);
        assert_eq!(closed.unlocked(), closed);
    }
}
