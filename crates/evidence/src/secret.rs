//! What the log keeps of a flow's secret.

use sha2::{Digest, Sha256};

/// What the log keeps of a flow's secret: SHA-256. The secret is 32 random bytes, so the digest gives nothing away.
pub fn secret_digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}
