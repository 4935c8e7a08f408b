//! Sign-ins with an NCR account of which nobody is known: gathered by their reason.

use sekisho_proto::credentials::v1::attempts_refused::{Federated, Reason};

/// Why a sign-in with an NCR account told nothing of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unvouched {
    /// The person gave up at the provider.
    Cancelled,
    /// Not the answer to the flow's question, or too late, or used before.
    Binding,
    /// The provider wants to be asked again.
    Retry,
    /// The provider failed.
    ProviderFailed,
    /// The provider cannot be reached, or answers nothing that can be used.
    ProviderUnreachable,
    /// What the provider says of the person is not to be believed.
    Token,
}

/// How many of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unvoucheds([u64; REASONS.len()]);

const REASONS: [(Unvouched, Reason); 6] = [
    (Unvouched::Cancelled, Reason::Cancelled),
    (Unvouched::Binding, Reason::Binding),
    (Unvouched::Retry, Reason::Retry),
    (Unvouched::ProviderFailed, Reason::ProviderFailed),
    (Unvouched::ProviderUnreachable, Reason::ProviderUnreachable),
    (Unvouched::Token, Reason::Token),
];

impl Unvoucheds {
    /// One.
    pub fn one(why: Unvouched) -> Self {
        Self(REASONS.map(|(reason, _)| u64::from(reason == why)))
    }

    /// With more of them.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        self.with(more, u64::saturating_add)
    }

    /// Without some of them.
    #[must_use]
    pub fn without(self, some: Self) -> Self {
        self.with(some, u64::saturating_sub)
    }

    /// None at all.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// As an event tells it.
    pub fn told(self) -> Vec<Federated> {
        let counted = REASONS.iter().zip(self.0).filter(|(_, attempts)| *attempts > 0);
        let told = counted.map(|((_, reason), attempts)| Federated {
            reason: (*reason).into(),
            attempts,
        });
        told.collect()
    }

    fn with(self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let mut joined = self.0;
        for (count, other) in joined.iter_mut().zip(other.0) {
            *count = join(*count, other);
        }
        Self(joined)
    }
}
