//! Hashing costs memory and a whole core: so many at once, so many that wait, and no more.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sekisho_service::settings::Secret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

use super::costs::quickest;
use super::{HashError, Phc};
use crate::domain::{Blocklist, NewPassword, PasswordError, TypedPassword};

/// The threads that hash, and the places of those who wait for them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HashPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// One for each computation that runs or waits.
    places: Arc<Semaphore>,
    /// One for each that runs.
    threads: Arc<Semaphore>,
    computed: AtomicU64,
}

/// Why nothing was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Every thread is busy and every place to wait is taken.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// No memory, or a mistake in the computation.
    #[error("a password could not be hashed")]
    Failed,
}

impl HashPool {
    /// A pool with so many threads, and so many places to wait.
    pub fn new(threads: NonZeroUsize, queue: usize) -> Self {
        let places = threads.get().saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self {
            inner: Arc::new(Inner {
                places: Arc::new(Semaphore::new(places)),
                threads: Arc::new(Semaphore::new(threads.get().min(Semaphore::MAX_PERMITS))),
                computed: AtomicU64::new(0),
            }),
        }
    }

    /// How many hashes and checks were computed so far.
    pub fn computed(&self) -> u64 {
        self.inner.computed.load(Ordering::Relaxed)
    }

    /// How many more callers would find a place now.
    pub fn free_places(&self) -> usize {
        self.inner.places.available_permits()
    }

    /// Whether the typed password is the hashed one. A hopeless one costs as much, and is never right.
    ///
    /// # Errors
    /// [`PoolError`]; then nothing was compared.
    pub async fn compare(&self, typed: TypedPassword, with: Phc) -> Result<bool, PoolError> {
        let (password, is_possible) = match typed {
            TypedPassword::Comparable(password) => (password, true),
            TypedPassword::Hopeless => (Secret::new(String::new()), false),
        };
        let matches = self
            .run(move || with.matches(password.expose().as_bytes()))
            .await?;
        Ok(matches && is_possible)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn hash(&self, password: NewPassword, salt: [u8; 16]) -> Result<Phc, PoolError> {
        self.rehash(password.secret().clone(), salt).await
    }

    /// Hashes a password that was right a moment ago.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn rehash(&self, password: Secret<String>, salt: [u8; 16]) -> Result<Phc, PoolError> {
        self.run(move || Phc::make(&password, salt)).await
    }

    /// How long a comparison with a hash takes: the quickest of so many. Waits for a place, because no person waits for it.
    ///
    /// # Errors
    /// [`PoolError::Failed`].
    pub async fn measure(&self, with: Phc, times: usize) -> Result<Duration, PoolError> {
        let place = Arc::clone(&self.inner.places).acquire_owned().await;
        let place = place.map_err(|_| PoolError::Failed)?;
        self.run_at(place, move || quickest(&with, times)).await
    }

    /// Whether guessers would try a new password first: some tenths of a second of a core at worst.
    ///
    /// # Errors
    /// [`PoolError`]; then nothing was looked at.
    pub async fn check(
        &self,
        password: NewPassword,
        blocklist: Blocklist,
    ) -> Result<Result<(), PasswordError>, PoolError> {
        self.run(move || Ok(password.check(&blocklist))).await
    }

    async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, PoolError> {
        let place = Arc::clone(&self.inner.places)
            .try_acquire_owned()
            .map_err(|_| PoolError::Busy)?;
        self.run_at(place, compute).await
    }

    async fn run_at<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        compute: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, PoolError> {
        let thread = Arc::clone(&self.inner.threads)
            .acquire_owned()
            .await
            .map_err(|_| PoolError::Failed)?;
        self.inner.computed.fetch_add(1, Ordering::Relaxed);
        // The permits go with the computation: a caller that gives up does not make room for another thread.
        let work = tokio::task::spawn_blocking(move || {
            let computed = compute();
            drop((thread, place));
            computed
        });
        let span = tracing::info_span!("credentials.password.hash");
        match work.instrument(span).await {
            Ok(Ok(computed)) => Ok(computed),
            Ok(Err(error)) => {
                tracing::error!(%error, "nothing was compared");
                Err(PoolError::Failed)
            }
            Err(_) => Err(PoolError::Failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn pool(threads: usize, queue: usize) -> HashPool {
        HashPool::new(NonZeroUsize::new(threads).unwrap(), queue)
    }

    /// A computation that lasts until the sender goes.
    fn held(pool: &HashPool) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), PoolError>>) {
        let (release, wait) = mpsc::channel::<()>();
        let pool = pool.clone();
        let running = tokio::spawn(async move {
            pool.run(move || {
                let _ = wait.recv();
                Ok(())
            })
            .await
        });
        (release, running)
    }

    async fn until(condition: impl Fn() -> bool) {
        in_time(async {
            while !condition() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    async fn in_time<T>(reached: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(10), reached)
            .await
            .expect("the pool reached no such state")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_finds_no_place_to_wait_is_refused_at_once() {
        let pool = pool(1, 1);
        let (first, running) = held(&pool);
        until(|| pool.computed() == 1).await;
        let (second, waiting) = held(&pool);
        until(|| pool.free_places() == 0).await;

        assert_eq!(in_time(pool.run(|| Ok(()))).await, Err(PoolError::Busy));
        assert_eq!(pool.computed(), 1);

        drop((first, second));
        assert_eq!(running.await.unwrap(), Ok(()));
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(pool.run(|| Ok(())).await, Ok(()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_caller_that_gives_up_frees_no_thread() {
        let pool = pool(1, 0);
        let (first, running) = held(&pool);
        until(|| pool.computed() == 1).await;
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert_eq!(in_time(pool.run(|| Ok(()))).await, Err(PoolError::Busy));
        drop(first);
        until(|| pool.free_places() == 1).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_measurement_waits_for_a_place() {
        let pool = pool(1, 0);
        let (first, running) = held(&pool);
        until(|| pool.computed() == 1).await;
        let phc = Phc::make(&Secret::new(String::new()), [1; 16]).unwrap();
        let measuring = pool.measure(phc, 1);
        let released = async {
            tokio::task::yield_now().await;
            drop(first);
        };
        let (measured, ()) = in_time(futures::future::join(measuring, released)).await;
        assert!(measured.is_ok_and(|time| !time.is_zero()));
        assert_eq!(running.await.unwrap(), Ok(()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_hopeless_password_costs_one_hash_and_is_wrong() {
        let pool = pool(1, 0);
        let empty = Phc::make(&Secret::new(String::new()), [1; 16]).unwrap();
        assert_eq!(pool.compare(TypedPassword::Hopeless, empty).await, Ok(false));
        assert_eq!(pool.computed(), 1);
    }
}
