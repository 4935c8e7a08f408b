//! Waiting for a state, bounded.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::signals;

/// Looks every 20 ms until `look` finds something, or somebody presses Ctrl-C.
///
/// # Errors
/// When `look` fails, when `limit` has passed, or when we were asked to stop; `what` completes the sentence
/// "waited … in vain for".
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    poll(what, limit, || {
        signals::check()?;
        look()
    })
}

/// Like [`until`], and goes on when we were asked to stop: for what must be waited for while stopping.
///
/// # Errors
/// When `look` fails, or when `limit` has passed.
pub fn poll<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > limit {
            bail!("waited {} s in vain for {what}", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}
