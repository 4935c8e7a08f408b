//! The rows of an owner's history.

use std::cmp::Reverse;

use sekisho_eventlog::{Entry, Position};
use time::{Duration, OffsetDateTime};

use super::what::{What, what};

/// Rows of what was done, at most. However much a stranger attempts, it takes no room from them.
pub const DEEDS_SHOWN: usize = 50;
/// Rows of what was attempted.
pub const ATTEMPTS_SHOWN: usize = 30;
/// What is attempted again within so long is one row.
const CLOSE: Duration = Duration::HOUR;

/// Something that the log holds, or the same attempt again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happening {
    /// When, by the log's clock; the last time.
    pub at: OffsetDateTime,
    /// What.
    pub what: What,
    /// How often.
    pub count: u32,
    /// The first time.
    pub first_at: OffsetDateTime,
}

/// The rows that these entries make, newest first; of a class in any order of its entries.
pub fn history(deeds: Vec<Entry>, attempts: Vec<Entry>) -> Vec<Happening> {
    let mut rows = single(deeds);
    rows.truncate(DEEDS_SHOWN);
    let mut attempted = gathered(single(attempts));
    attempted.truncate(ATTEMPTS_SHOWN);
    rows.append(&mut attempted);
    rows.sort_by_key(|(position, _)| Reverse(*position));
    rows.into_iter().map(|(_, happening)| happening).collect()
}

/// A row for each thing that an entry means, newest first, with where it stands.
fn single(mut entries: Vec<Entry>) -> Vec<(Position, Happening)> {
    entries.sort_by_key(|entry| Reverse(entry.recorded.position));
    let rows = entries.iter().flat_map(|entry| {
        let recorded = entry.recorded;
        what(entry).into_iter().rev().map(move |what| {
            let happening = Happening {
                at: recorded.recorded_at,
                what,
                count: 1,
                first_at: recorded.recorded_at,
            };
            (recorded.position, happening)
        })
    });
    rows.collect()
}

/// One row for the same attempt again and again, whatever else was attempted in between.
fn gathered(rows: Vec<(Position, Happening)>) -> Vec<(Position, Happening)> {
    let mut gathered: Vec<(Position, Happening)> = Vec::new();
    for (position, row) in rows {
        let same = gathered.iter_mut().map(|(_, newer)| newer);
        let close = |newer: &&mut Happening| newer.what == row.what && newer.first_at - row.at < CLOSE;
        match same.rev().find(close) {
            Some(newer) => {
                newer.count += 1;
                newer.first_at = row.at;
            }
            None => gathered.push((position, row)),
        }
    }
    gathered
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, flow, recorded, session, start_of_time, started};
    use super::*;
    use sekisho_proto::credentials::v1::{PasswordAccepted, PasswordRejected, PasswordResetRequested};
    use sekisho_proto::events::{AccountEvent, SessionEvent};
    use sekisho_proto::sessions::v1::SessionStarted;

    fn wrong(position: u64) -> Entry {
        let event: AccountEvent = PasswordRejected::default().into();
        entry(recorded(position, None), &event)
    }

    fn right(position: u64) -> Entry {
        let event: AccountEvent = PasswordAccepted::default().into();
        entry(recorded(position, Some(flow(1))), &event)
    }

    fn of_a_session(position: u64, event: &SessionEvent) -> Entry {
        entry(recorded(position, Some(flow(1))), event)
    }

    fn told(rows: &[Happening]) -> Vec<(What, u32)> {
        rows.iter().map(|row| (row.what, row.count)).collect()
    }

    fn reset(position: u64) -> Entry {
        let event: AccountEvent = PasswordResetRequested::default().into();
        entry(recorded(position, Some(flow(1))), &event)
    }

    #[test]
    fn the_same_attempt_again_and_again_is_one_row_that_says_how_often() {
        let attempts = vec![wrong(1), reset(2), wrong(5), reset(6), wrong(7)];
        let rows = history(Vec::new(), attempts);
        assert_eq!(told(&rows), [(What::PasswordWrong, 3), (What::ResetRequested, 2)]);
        let at = |position| start_of_time() + Duration::seconds(position);
        assert_eq!((rows[0].at, rows[0].first_at), (at(7), at(1)));
    }

    #[test]
    fn what_is_attempted_again_after_an_hour_is_another_row() {
        let rows = history(Vec::new(), vec![wrong(1), wrong(3_600), wrong(7_200)]);
        assert_eq!(told(&rows), [(What::PasswordWrong, 1), (What::PasswordWrong, 2)]);
    }

    #[test]
    fn what_was_done_has_a_row_each_time() {
        let rows = history(vec![right(1), right(2)], Vec::new());
        assert_eq!(told(&rows), [(What::PasswordAccepted, 1); 2]);
    }

    #[test]
    fn attempts_take_no_room_from_what_was_done() {
        let deeds = (1..=60).map(|position| of_a_session(position, &started(1, 10)));
        // An hour apart, so that each is a row.
        let attempts = (1..=60).map(|number| wrong(100 + 3_600 * number));
        let rows = history(deeds.collect(), attempts.collect());
        let of_sessions = rows.iter().filter(|row| row.what == What::SignedIn).count();
        assert_eq!(
            (of_sessions, rows.len()),
            (DEEDS_SHOWN, DEEDS_SHOWN + ATTEMPTS_SHOWN)
        );
        assert!(rows.is_sorted_by_key(|row| Reverse(row.at)));
    }

    #[test]
    fn a_session_that_took_the_place_of_another_is_two_rows() {
        let SessionEvent::SessionStarted(plain) = started(1, 10) else {
            panic!("no start");
        };
        let displacing = SessionStarted {
            ended: vec![session(9).to_vec()],
            ..plain
        };
        let rows = history(vec![of_a_session(1, &displacing.into())], Vec::new());
        assert_eq!(told(&rows), [(What::SignedIn, 1), (What::EndedElsewhere, 1)]);
    }
}
