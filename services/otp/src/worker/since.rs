//! Where the fold of the to-do list begins: what was recorded longer ago cannot owe a mail any more.

use sekisho_eventlog::{Log, Position, ReadError};
use time::Duration;

use crate::domain::CODE_LIFE;

/// Twice a code's life, so that no rounding matters.
const BACK: Duration = CODE_LIFE.saturating_mul(2);

/// The newest position before which no entry can matter. The log has no index by time, but its entries are in the order
/// of their times: a search in halves finds the place with a few reads.
pub(super) async fn position(log: &Log) -> Result<Position, ReadError> {
    let oldest = log.now() - BACK;
    let (mut before, mut after) = (Position(0), Position(log.head().0 + 1));
    while after.0 - before.0 > 1 {
        let middle = Position(before.0 + (after.0 - before.0) / 2);
        // An entry whose segment was detached is old.
        let is_old = log
            .entry(middle)
            .await?
            .is_none_or(|entry| entry.recorded.recorded_at < oldest);
        if is_old {
            before = middle;
        } else {
            after = middle;
        }
    }
    Ok(before)
}
