//! Moments as people in Japan read them.

use prost_types::Timestamp;
use time::{OffsetDateTime, UtcOffset};

use sekisho_proto::from_timestamp;

use crate::texts;

/// Asia/Tokyo: nine hours, without daylight saving time since 1951.
const TOKYO: UtcOffset = time::macros::offset!(+9);

/// `10時23分`; `None` for no moment.
pub fn minute(moment: Option<&Timestamp>) -> Option<String> {
    let moment = from_timestamp(moment?)?.checked_to_offset(TOKYO)?;
    Some(texts::minute(moment.hour(), moment.minute()))
}

/// `2026年3月2日 10時15分`, from seconds since 1970; `None` outside the calendar.
pub fn day_and_minute(seconds: i64) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds)
        .ok()?
        .checked_to_offset(TOKYO)?;
    let minute = texts::minute(moment.hour(), moment.minute());
    Some(format!(
        "{} {minute}",
        texts::day(moment.year(), moment.month().into(), moment.day())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_tokyo() {
        let moment = time::macros::datetime!(2026-03-01 22:05:59 UTC).unix_timestamp();
        assert_eq!(day_and_minute(moment).as_deref(), Some("2026年3月2日 7時05分"));
        assert_eq!(
            minute(Some(&Timestamp {
                seconds: moment,
                nanos: 0
            }))
            .as_deref(),
            Some("7時05分")
        );
    }

    #[test]
    fn no_moment_is_shown_as_none() {
        assert_eq!(minute(None), None);
        assert_eq!(day_and_minute(i64::MAX), None);
    }
}
