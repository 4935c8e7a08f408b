//! What a comparison with hashes of other makes costs on this machine.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::{HashPool, Phc, PoolError};

/// Makes whose cost is remembered; a list of a former system has one or two.
const REMEMBERED: usize = 64;
/// Comparisons of one measurement, of which the quickest counts: others may use the machine meanwhile.
const COMPARISONS: usize = 3;

/// Costs that were measured. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Costs(Arc<Mutex<HashMap<String, Duration>>>);

impl Costs {
    /// How long a comparison with a hash takes, measured once for each make however many ask at once.
    ///
    /// # Errors
    /// [`PoolError`]; then nothing was measured.
    pub async fn of(&self, phc: &Phc, pool: &HashPool) -> Result<Duration, PoolError> {
        let make = phc.make_of();
        let mut known = self.0.lock().await;
        if let Some(known) = known.get(make) {
            return Ok(*known);
        }
        let measured = pool.measure(phc.clone(), COMPARISONS).await?;
        if known.len() < REMEMBERED {
            known.insert(make.to_owned(), measured);
        }
        Ok(measured)
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    /// A list holds the same make a thousand times; its first rows come at once.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_asks_at_once_waits_for_one_measurement() {
        let hash =
            "$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby90ZXN0LzE$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let phc = Phc::try_from(hash).unwrap();
        let (costs, pool) = (Costs::default(), HashPool::new(NonZeroUsize::MIN, 0));
        let asking = (0..100).map(|_| costs.of(&phc, &pool));
        let answers = futures::future::join_all(asking).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(pool.computed(), 1);
    }
}
