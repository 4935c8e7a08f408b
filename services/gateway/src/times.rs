//! Moments as people in Japan read them.

use prost_types::Timestamp;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use sekisho_proto::from_timestamp;

use crate::texts::Texts;

/// Asia/Tokyo: nine hours, without daylight saving time since 1951.
const TOKYO: UtcOffset = time::macros::offset!(+9);

/// `10時23分` in Japanese; `None` for no moment.
pub fn minute(texts: &Texts, moment: Option<&Timestamp>) -> Option<String> {
    let moment = from_timestamp(moment?)?.checked_to_offset(TOKYO)?;
    Some((texts.minute)(moment.hour(), moment.minute()))
}

/// `10時23分45秒` in Japanese; `None` for no moment.
pub fn second(texts: &Texts, moment: Option<&Timestamp>) -> Option<String> {
    let moment = from_timestamp(moment?)?.checked_to_offset(TOKYO)?;
    Some((texts.second)(moment.hour(), moment.minute(), moment.second()))
}

/// `2026年3月2日 10時15分` in Japanese, from seconds since 1970; `None` outside the calendar.
pub fn day_and_minute(texts: &Texts, seconds: i64) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds)
        .ok()?
        .checked_to_offset(TOKYO)?;
    let day = (texts.day)(moment.year(), moment.month().into(), moment.day());
    let minute = (texts.minute)(moment.hour(), moment.minute());
    Some(format!("{day} {minute}"))
}

/// `2026-03-02T10:15:00+09:00`, for programs; `None` outside the calendar.
pub fn machine(moment: OffsetDateTime) -> Option<String> {
    moment.checked_to_offset(TOKYO)?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, JAPANESE};

    #[test]
    fn moments_are_shown_in_tokyo() {
        let moment = time::macros::datetime!(2026-03-01 22:05:59 UTC).unix_timestamp();
        let timestamp = Timestamp {
            seconds: moment,
            nanos: 0,
        };
        for (texts, day, time) in [
            (&JAPANESE, "2026年3月2日", "7時05分"),
            (&ENGLISH, "2026-03-02", "7:05"),
        ] {
            let shown = day_and_minute(texts, moment);
            assert_eq!(shown.as_deref(), Some(&*format!("{day} {time}")));
            assert_eq!(minute(texts, Some(&timestamp)).as_deref(), Some(time));
        }
        assert_eq!(
            second(&JAPANESE, Some(&timestamp)).as_deref(),
            Some("7時05分59秒")
        );
        assert_eq!(second(&ENGLISH, Some(&timestamp)).as_deref(), Some("7:05:59"));
    }

    #[test]
    fn no_moment_is_shown_as_none() {
        assert_eq!(minute(&JAPANESE, None), None);
        assert_eq!(day_and_minute(&JAPANESE, i64::MAX), None);
    }
}
