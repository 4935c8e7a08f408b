//! Ctrl-C and its relatives: remembered, and looked at between steps.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The exit code of what was stopped before its end, as shells have it for Ctrl-C.
pub const INTERRUPTED: u8 = 130;

static RECEIVED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From now on the first Ctrl-C (SIGINT), SIGTERM or SIGHUP only asks this process to stop; the second ends it at
/// once, and its children with it.
///
/// # Errors
/// When the system refuses the handlers.
pub fn listen() -> Result<()> {
    let counter = RECEIVED.get_or_init(Arc::default).clone();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for Ctrl-C")?;
    thread::spawn(move || {
        for _ in &mut signals {
            if counter.fetch_add(1, Ordering::SeqCst) > 0 {
                eprintln!("cargo dev: stopped at once");
                std::process::exit(INTERRUPTED.into());
            }
        }
    });
    Ok(())
}

/// How often we were asked to stop.
pub fn received() -> usize {
    RECEIVED.get().map_or(0, |counter| counter.load(Ordering::SeqCst))
}

/// # Errors
/// When we were asked to stop.
pub fn check() -> Result<()> {
    if received() > 0 {
        bail!("stopped on request");
    }
    Ok(())
}
