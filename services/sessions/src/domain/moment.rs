//! Moments as the directory stores them.

use time::{Duration, OffsetDateTime};

/// Microseconds since 1970: as exact as PostgreSQL is, and half as large as what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub i64);

impl From<OffsetDateTime> for Moment {
    fn from(moment: OffsetDateTime) -> Self {
        Self(i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000)).unwrap_or(i64::MAX))
    }
}

/// What is beyond the calendar counts as its end.
impl From<Moment> for OffsetDateTime {
    fn from(moment: Moment) -> Self {
        Self::UNIX_EPOCH.saturating_add(Duration::microseconds(moment.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_kept_to_the_microsecond() {
        for micros in [-1, 0, 1, 1_795_000_000_123_456] {
            let moment = OffsetDateTime::UNIX_EPOCH + Duration::microseconds(micros);
            assert_eq!(OffsetDateTime::from(Moment::from(moment)), moment);
        }
        assert!(OffsetDateTime::from(Moment(i64::MAX)).year() == 9999);
    }
}
