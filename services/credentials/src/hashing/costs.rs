//! What a comparison with hashes of other makes costs on this machine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{HashPool, Phc, PoolError};

/// Makes whose cost is remembered; a list of a former system has one or two.
const REMEMBERED: usize = 64;
/// Comparisons of one measurement, of which the quickest counts: others may use the machine meanwhile.
const COMPARISONS: usize = 3;

/// Costs that were measured. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Costs(Arc<Mutex<HashMap<String, Duration>>>);

impl Costs {
    /// How long a comparison with a hash takes, measured once for each make.
    ///
    /// # Errors
    /// [`PoolError`]; then nothing was measured.
    pub async fn of(&self, phc: &Phc, pool: &HashPool) -> Result<Duration, PoolError> {
        let make = phc.make_of();
        if let Some(known) = self.known().get(make) {
            return Ok(*known);
        }
        let measured = pool.measure(phc.clone(), COMPARISONS).await?;
        let mut known = self.known();
        if known.len() < REMEMBERED {
            known.insert(make.to_owned(), measured);
        }
        Ok(measured)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long so many comparisons take, the quickest of them.
pub(super) fn quickest(phc: &Phc, times: usize) -> Result<Duration, super::HashError> {
    let mut quickest = Duration::MAX;
    for _ in 0..times {
        let begun = Instant::now();
        phc.matches(b"")?;
        quickest = quickest.min(begun.elapsed());
    }
    Ok(quickest)
}
