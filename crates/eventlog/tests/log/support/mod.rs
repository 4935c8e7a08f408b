//! What the tests of the log share.

mod combined;
mod database;
mod drafts;
mod gate;
mod proxy;
mod raw;

use std::time::{Duration, Instant};

pub use combined::{grouped, setting};
pub use database::{Db, settings};
pub use drafts::{Tally, append, context, draft, following, issued, recorded, stream};
pub use gate::Gate;
pub use proxy::{Point, Proxy};
pub use raw::{Raw, call, outcomes, run, state_of};

/// Looks every 5 ms until `look` finds something; fails after 20 s.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "waited in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from(b"0123456789abcdef"[usize::from(digit)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// What a future answers, and how long it took.
pub async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    (future.await, begun.elapsed())
}
