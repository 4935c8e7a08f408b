//! argon2id, on a bounded pool of threads.

mod phc;
mod pool;

pub use phc::{Phc, PhcError};
pub use pool::{HashPool, PoolError};
