//! What a comparison with hashes of other makes costs on this machine: time of a processor, whatever else the machine does.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::{HashPool, Phc, PoolError};

/// Makes whose cost is remembered. A list of a former system has one or two, or each hash has rounds of its own: then whatever is
/// cheaper than one that is cheap enough need not be measured.
const REMEMBERED: usize = 64;
/// Comparisons of one measurement, of which the quickest counts: others may use the machine meanwhile.
const COMPARISONS: usize = 3;
/// One that takes so long is far beyond anything that is let through: once is enough.
const ENOUGH: Duration = Duration::from_secs(1);

/// Costs that were measured. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Costs(Arc<Mutex<Vec<Measured>>>);

/// What a comparison cost.
#[derive(Debug, Clone, Copy)]
struct Measured {
    algorithm: &'static str,
    weights: [u32; 3],
    cost: Duration,
}

impl Costs {
    /// Whether a comparison with a hash takes less than a time, measured once for each make however many ask at once.
    ///
    /// # Errors
    /// [`PoolError`]; then nothing was measured.
    pub async fn are_below(&self, most: Duration, phc: &Phc, pool: &HashPool) -> Result<bool, PoolError> {
        let (costs, phc, pool) = (self.clone(), phc.clone(), pool.clone());
        // Whoever asked may give up meanwhile: the next one finds what was measured.
        let measuring = async move { costs.known_or_measured(most, phc, &pool).await };
        let measured = tokio::spawn(measuring.in_current_span()).await;
        measured.map_err(|_| PoolError::Failed)?
    }

    async fn known_or_measured(&self, most: Duration, phc: Phc, pool: &HashPool) -> Result<bool, PoolError> {
        let (algorithm, weights) = phc.weights();
        let mut known = self.0.lock().await;
        let of_algorithm = || known.iter().filter(|other| other.algorithm == algorithm);
        if of_algorithm().any(|dearer| dearer.cost < most && dearer.asks_no_less_than(weights)) {
            return Ok(true);
        }
        if of_algorithm().any(|cheaper| cheaper.cost >= most && cheaper.asks_no_more_than(weights)) {
            return Ok(false);
        }
        let cost = pool.measure(phc, COMPARISONS).await?;
        let measured = Measured {
            algorithm,
            weights,
            cost,
        };
        known.retain(|other| !other.says_no_more_than(&measured, most));
        if known.len() < REMEMBERED {
            known.push(measured);
        }
        Ok(cost < most)
    }
}

impl Measured {
    fn asks_no_less_than(&self, weights: [u32; 3]) -> bool {
        self.weights.iter().zip(weights).all(|(own, other)| *own >= other)
    }

    fn asks_no_more_than(&self, weights: [u32; 3]) -> bool {
        self.weights.iter().zip(weights).all(|(own, other)| *own <= other)
    }

    /// Whatever this one answers, the other one answers as well.
    fn says_no_more_than(&self, other: &Self, most: Duration) -> bool {
        self.algorithm == other.algorithm
            && match (self.cost < most, other.cost < most) {
                (true, true) => other.asks_no_less_than(self.weights),
                (false, false) => other.asks_no_more_than(self.weights),
                (true, false) | (false, true) => false,
            }
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
        let asking = (0..100).map(|_| costs.are_below(ENOUGH, &phc, &pool));
        let answers = futures::future::join_all(asking).await;
        assert!(answers.iter().all(|answer| *answer == Ok(true)), "{answers:?}");
        assert_eq!(pool.computed(), 1);
    }

    /// An import that is given up after five seconds comes again, and must find the answer then.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_somebody_gave_up_to_wait_for_is_measured_all_the_same() {
        let hash =
            "$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby90ZXN0LzE$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let phc = Phc::try_from(hash).unwrap();
        let (costs, pool) = (Costs::default(), HashPool::new(NonZeroUsize::MIN, 0));
        let given_up = tokio::time::timeout(Duration::ZERO, costs.are_below(ENOUGH, &phc, &pool)).await;
        assert!(given_up.is_err());
        costs.are_below(ENOUGH, &phc, &pool).await.unwrap();
        assert_eq!(pool.computed(), 1);
    }

    fn pbkdf2(rounds: u32) -> Phc {
        let salt_and_hash = "c2VraXNoby90ZXN0LzE$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let text = format!("$pbkdf2-sha256$i={rounds},l=32${salt_and_hash}");
        Phc::try_from(text.as_str()).unwrap()
    }

    /// Some systems give every hash rounds of its own: a list of a hundred thousand must not be a hundred thousand measurements.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_cheaper_than_a_cheap_one_or_dearer_than_a_dear_one_is_not_measured() {
        let (costs, pool) = (Costs::default(), HashPool::new(NonZeroUsize::MIN, 0));
        // Ten times fewer and ten times more, whatever the machine.
        let most = quickest(&pbkdf2(30_000), 3).unwrap();
        let below = async |rounds| costs.are_below(most, &pbkdf2(rounds), &pool).await.unwrap();
        assert!(below(3_000).await);
        assert!(!below(300_000).await);
        assert_eq!(pool.computed(), 2);
        for rounds in 1_000..2_000 {
            assert!(below(rounds).await);
            assert!(!below(300_000 + rounds).await);
        }
        assert_eq!(pool.computed(), 2);
        assert!(below(6_000).await, "in between it is measured");
        assert_eq!((pool.computed(), costs.0.lock().await.len()), (3, 2));
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
