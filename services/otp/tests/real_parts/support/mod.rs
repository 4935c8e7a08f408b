//! What the tests stand on.

mod authority;
mod directory;
mod flow;
mod relay;
mod replica;
mod world;

use std::time::Duration;

pub use authority::Authority;
pub use directory::Directory;
pub use flow::Flow;
pub use relay::{Act, Begin, Relay, Step};
pub use replica::{K1, K2, Mailbox, Replica, code, code_of, wrong};
pub use world::World;

/// Waits for a state, 20 s at most.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "waited too long: {what}");
}
