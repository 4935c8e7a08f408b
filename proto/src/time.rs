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

/// The moment that a protobuf timestamp means; `None` outside the years −9999 to 9999.
pub fn from_timestamp(timestamp: &Timestamp) -> Option<OffsetDateTime> {
    let nanos = i128::from(timestamp.seconds) * 1_000_000_000 + i128::from(timestamp.nanos);
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_the_way_there_and_back() {
        let moment = OffsetDateTime::UNIX_EPOCH + ::time::Duration::nanoseconds(1_700_000_000_123_456_000);
        assert_eq!(from_timestamp(&to_timestamp(moment)), Some(moment));
    }
}
