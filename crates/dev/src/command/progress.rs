//! Lines that say what happens now, with the time since the start.

use std::time::Instant;

/// Says what happens now, on standard error.
#[derive(Debug)]
pub struct Progress {
    begun: Instant,
}

impl Progress {
    /// Time counts from here.
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
        }
    }

    /// One line.
    pub fn say(&self, step: &str) {
        eprintln!("[{:>6.1} s] {step}", self.begun.elapsed().as_secs_f64());
    }
}
