//! Password hashes, on a bounded pool of threads, and the pepper around what it makes.

mod costs;
mod pepper;
mod phc;
mod pool;
mod recipe;

pub use costs::Costs;
pub use pepper::{Pepper, PepperError, SealedHash};
pub use phc::{FirstPassword, Phc, PhcError};
pub use pool::{HashPool, PoolError};
pub use recipe::HashError;
