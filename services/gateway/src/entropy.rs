//! The gateway's one source of randomness: the operating system.

/// Fresh random bytes.
///
/// A machine that cannot give any must not make secrets: the process ends.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the gateway's source; it does not use the log's crate"
)]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(bytes::<32>(), bytes::<32>());
    }
}
