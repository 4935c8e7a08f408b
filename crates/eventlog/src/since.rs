//! Where entries begin that are not older than a moment.

use time::OffsetDateTime;

use crate::ids::Position;
use crate::log::Log;
use crate::read::ReadError;

impl Log {
    /// The newest position whose entry was recorded before a moment; 0 if none was. Whoever needs what came later follows
    /// from there.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn before(&self, moment: OffsetDateTime) -> Result<Position, ReadError> {
        let is_old = |position| async move {
            // An entry whose segment was detached is old.
            let recorded_at = self.recorded_at(position).await?;
            Ok(recorded_at.is_none_or(|recorded_at| recorded_at < moment))
        };
        last_old(self.head(), is_old).await
    }
}

/// The last old position; 0 if none is. The log has no index by time, but its entries are in the order of their times: a
/// search in halves finds the place with a few reads.
async fn last_old<E, F: Future<Output = Result<bool, E>>>(
    head: Position,
    mut is_old: impl FnMut(Position) -> F,
) -> Result<Position, E> {
    let (mut old, mut new) = (0, head.0 + 1);
    while new - old > 1 {
        let middle = old + (new - old) / 2;
        if is_old(Position(middle)).await? {
            old = middle;
        } else {
            new = middle;
        }
    }
    Ok(Position(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_old_entry_is_found_with_a_few_reads() {
        for head in [0, 1, 2, 1_000, 1 << 24] {
            for last in [0, 1, head / 3, head] {
                let last = Position(last.min(head));
                let mut reads = 0;
                let found = last_old(Position(head), |position| {
                    reads += 1;
                    std::future::ready(Ok::<_, ()>(position <= last))
                });
                assert_eq!(found.await, Ok(last));
                assert!(reads <= 25);
            }
        }
    }
}
