//! What a comparison with hashes of other makes costs on this machine: time of a processor, whatever else the machine does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::{HashPool, Phc, PoolError};

/// Makes whose cost is remembered; a list of a former system has one or two.
const REMEMBERED: usize = 64;
/// Comparisons of one measurement, of which the quickest counts: others may use the machine meanwhile.
const COMPARISONS: usize = 3;
/// One that takes so long is far beyond anything that is let through: once is enough.
const ENOUGH: Duration = Duration::from_secs(1);

/// Costs that were measured. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Costs(Arc<Mutex<HashMap<String, Duration>>>);

impl Costs {
    /// How long a comparison with a hash takes, measured once for each make however many ask at once.
    ///
    /// # Errors
    /// [`PoolError`]; then nothing was measured.
    pub async fn of(&self, phc: &Phc, pool: &HashPool) -> Result<Duration, PoolError> {
        let (costs, phc, pool) = (self.clone(), phc.clone(), pool.clone());
        // Whoever asked may give up meanwhile: the next one finds what was measured.
        let measuring = async move { costs.measured(phc, &pool).await };
        let measured = tokio::spawn(measuring.in_current_span()).await;
        measured.map_err(|_| PoolError::Failed)?
    }

    async fn measured(&self, phc: Phc, pool: &HashPool) -> Result<Duration, PoolError> {
        let make = phc.make_of().to_owned();
        let mut known = self.0.lock().await;
        if let Some(known) = known.get(&make) {
            return Ok(*known);
        }
        let measured = pool.measure(phc, COMPARISONS).await?;
        if known.len() < REMEMBERED {
            known.insert(make, measured);
        }
        Ok(measured)
    }
}

/// How long so many comparisons take, the quickest of them.
pub(super) fn quickest(phc: &Phc, times: usize) -> Result<Duration, super::HashError> {
    shortest(times, || {
        let begun = computed();
        phc.matches(b"")?;
        Ok(computed().saturating_sub(begun))
    })
}

/// How long this thread has computed.
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn shortest<E>(times: usize, mut once: impl FnMut() -> Result<Duration, E>) -> Result<Duration, E> {
    let mut shortest = Duration::MAX;
    for _ in 0..times {
        let took = once()?;
        shortest = shortest.min(took);
        if took > ENOUGH {
            break;
        }
    }
    Ok(shortest)
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

    /// An import that is given up after five seconds comes again, and must find the answer then.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_somebody_gave_up_to_wait_for_is_measured_all_the_same() {
        let hash =
            "$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby90ZXN0LzE$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let phc = Phc::try_from(hash).unwrap();
        let (costs, pool) = (Costs::default(), HashPool::new(NonZeroUsize::MIN, 0));
        let given_up = tokio::time::timeout(Duration::ZERO, costs.of(&phc, &pool)).await;
        assert!(given_up.is_err());
        costs.of(&phc, &pool).await.unwrap();
        assert_eq!(pool.computed(), 1);
    }

    /// A machine that does much else makes no hash dearer.
    #[test]
    fn waiting_costs_nothing() {
        let begun = computed();
        std::thread::sleep(Duration::from_millis(200));
        assert!(computed().saturating_sub(begun) < Duration::from_millis(100));
        let phc = Phc::decoy().unwrap();
        assert!(quickest(&phc, 1).unwrap() > Duration::from_millis(1));
    }

    #[test]
    fn a_comparison_that_takes_long_is_made_once() {
        for (took, times) in [(ENOUGH, 3), (ENOUGH + Duration::from_millis(1), 1)] {
            let mut made = 0;
            let once = || {
                made += 1;
                Ok::<_, ()>(took)
            };
            assert_eq!(shortest(3, once), Ok(took));
            assert_eq!(made, times);
        }
    }
}
