//! Moments as people in Japan read them.

use time::macros::offset;
use time::{OffsetDateTime, UtcOffset};

/// Japan has one time zone and no summer time.
const JAPAN: UtcOffset = offset!(+9);

/// Such as 2026年3月2日 10時23分, whatever the zone of this machine.
pub(crate) fn moment(at: OffsetDateTime) -> String {
    let at = at.checked_to_offset(JAPAN).unwrap_or(at);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute) = (at.hour(), at.minute());
    format!("{year}年{month}月{day}日 {hour}時{minute:02}分")
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_moment_is_told_in_japan() {
        let at = datetime!(2026-12-31 15:05:00 UTC);
        assert_eq!(moment(at), "2027年1月1日 0時05分");
        assert_eq!(moment(at + Duration::hours(10)), "2027年1月1日 10時05分");
    }
}
