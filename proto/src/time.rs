//! Between protobuf timestamps and the time type of the services.

use ::time::OffsetDateTime;
use prost_types::Timestamp;

/// A moment as protobuf writes it.
pub fn to_timestamp(moment: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: moment.unix_timestamp(),
        nanos: i32::try_from(moment.nanosecond()).unwrap_or_default(),
    }
}

/// The moment that a protobuf timestamp means; `None` before 1970 and after 9000. Nothing of this system happened then,
/// and whoever counts on from a moment must not leave the calendar, which ends the process.
pub fn from_timestamp(timestamp: &Timestamp) -> Option<OffsetDateTime> {
    let nanos = i128::from(timestamp.seconds) * 1_000_000_000 + i128::from(timestamp.nanos);
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    (1970..=9000).contains(&moment.year()).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_the_way_there_and_back() {
        let moment = OffsetDateTime::UNIX_EPOCH + ::time::Duration::nanoseconds(1_700_000_000_123_456_000);
        assert_eq!(from_timestamp(&to_timestamp(moment)), Some(moment));
    }

    #[test]
    fn a_moment_from_which_one_cannot_count_on_is_none() {
        // The last second of the calendar, its first one, the one before 1970, and one that no calendar has.
        for seconds in [253_402_300_799, -377_705_116_800, -1, i64::MAX] {
            assert_eq!(
                from_timestamp(&Timestamp { seconds, nanos: 0 }),
                None,
                "{seconds}"
            );
        }
    }
}
