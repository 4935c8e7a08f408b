//! The one source of randomness: the operating system.

/// Random bytes.
///
/// A system without randomness is one on which nothing may be decided: the process aborts.
#[expect(clippy::disallowed_methods, reason = "this is the one source")]
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
