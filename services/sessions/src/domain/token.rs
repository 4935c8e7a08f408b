//! Session tokens: derived from the flow's secret, known to the log by their digest only.

use std::fmt;

use hkdf::Hkdf;
use sekisho_eventlog::FlowId;
use sekisho_service::settings::Secret;
use sha2::{Digest, Sha256};

/// Separates this use of a flow's secret from every other one.
const INFO: &[u8] = b"sekisho/session/1";

/// What a browser's cookie holds: 32 bytes. Never logged, never stored.
#[derive(Debug, Clone)]
pub struct Token(Secret<[u8; 32]>);

/// What the log keeps of a token: SHA-256. The token is 256 bits of a key derivation, so the digest gives nothing away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenDigest(pub [u8; 32]);

impl Token {
    /// HKDF-SHA-256 (RFC 5869) of the flow's secret with info `sekisho/session/1` ‖ flow id, so that a Start that is
    /// sent again gets the same token. `None` never comes for this length.
    pub fn derive(flow_secret: &[u8], flow: FlowId) -> Option<Self> {
        let mut token = Secret::new([0; 32]);
        let info = [INFO, flow.0.as_bytes()].concat();
        Hkdf::<Sha256>::new(None, flow_secret)
            .expand(&info, token.expose_mut())
            .ok()?;
        Some(Self(token))
    }

    /// The bytes, for the one answer that hands them out.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The digest by which the log knows it.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.expose())
    }
}

impl TokenDigest {
    /// The digest of whatever a caller brings as a token.
    pub fn of(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// A digest as it stands in an event.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDigest({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const FLOW: FlowId = FlowId(Uuid::from_u128(7));

    #[test]
    fn the_same_secret_and_flow_give_the_same_token() {
        let token = Token::derive(b"secret", FLOW).unwrap();
        assert_eq!(token.expose(), Token::derive(b"secret", FLOW).unwrap().expose());
        let other_flow = Token::derive(b"secret", FlowId(Uuid::from_u128(8))).unwrap();
        let other_secret = Token::derive(b"Secret", FLOW).unwrap();
        assert_ne!(token.expose(), other_flow.expose());
        assert_ne!(token.expose(), other_secret.expose());
    }

    /// Computed once with another implementation of RFC 5869: replicas of two versions must agree.
    #[test]
    fn the_derivation_never_changes() {
        let token = Token::derive(&[0x0b; 32], FLOW).unwrap();
        let expected = [
            0xaf2d_3039_6847_0796_u64,
            0x3ccd_8726_5b44_35e8_u64,
            0x22c5_7d1b_2046_439f_u64,
            0xbab8_2bfe_50bb_7cce_u64,
        ];
        assert_eq!(token.expose().as_slice(), expected.map(u64::to_be_bytes).concat());
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::derive(b"secret", FLOW).unwrap();
        assert_eq!(format!("{token:?}"), "Token([redacted])");
        let printed = format!("{:?}", token.digest());
        assert_eq!(printed.len(), "TokenDigest(0000…)".len(), "{printed}");
    }
}
