//! K = HMAC-SHA-256(server key, "sekisho/code/1" ‖ purpose ‖ account ‖ flow), code = HOTP(K, issue number).
//!
//! HOTP (RFC 4226) is written out here over the `hmac` and `sha1` crates: crates for one-time passwords take a secret
//! of a user, a clock and a URL, and would be much more to read than these few lines. SHA-1 is what the RFC asks for;
//! what HOTP needs of it, a pseudorandom function, is not broken.

use hmac::{Hmac, KeyInit, Mac};
use sekisho_eventlog::{FlowId, StreamId};
use sekisho_proto::otp::v1::Purpose;
use sekisho_service::mac;
use sekisho_service::settings::{KeyRing, Secret};
use sha1::Sha1;

use super::digits::Digits;
use crate::domain::{Finding, Issued};

/// Changes when the derivation changes.
const LABEL: &str = "sekisho/code/1";

/// Whose code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The account.
    pub account: StreamId,
    /// The flow.
    pub flow: FlowId,
    /// What the code is for.
    pub purpose: Purpose,
}

/// The server keys that codes are derived with, by id.
#[derive(Debug, Clone)]
pub struct Keys(KeyRing);

/// A code of the log names a key that this process does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key of a live code is not in the key file")]
pub struct KeyMissing;

impl Keys {
    /// Codes of these keys.
    pub fn new(ring: KeyRing) -> Self {
        Self(ring)
    }

    /// The key for new codes.
    pub fn current_id(&self) -> &str {
        self.0.current().0
    }

    /// The digits of a code.
    ///
    /// # Errors
    /// [`KeyMissing`].
    pub fn code(&self, owner: Owner, key_id: &str, issue: u64) -> Result<Digits, KeyMissing> {
        let server_key = self.0.get(key_id).ok_or(KeyMissing)?;
        Ok(digits(server_key, owner, issue))
    }

    /// Compares what was typed with a code and with all that it replaced, in constant time for each.
    ///
    /// # Errors
    /// [`KeyMissing`].
    pub fn compare(
        &self,
        owner: Owner,
        code: &Issued,
        replaced: &[u64],
        typed: &Digits,
    ) -> Result<Finding, KeyMissing> {
        let right = self.code(owner, &code.key_id, code.issue)?.equal(typed);
        let mut is_replaced = false;
        // The key may have changed since.
        for (key, issue) in self
            .0
            .iter()
            .flat_map(|key| replaced.iter().map(move |issue| (key, issue)))
        {
            is_replaced |= digits(key, owner, *issue).equal(typed);
        }
        Ok(match (right, is_replaced) {
            (true, _) => Finding::Right,
            (false, true) => Finding::Replaced,
            (false, false) => Finding::Wrong,
        })
    }
}

fn digits(server_key: &[u8; 32], owner: Owner, issue: u64) -> Digits {
    hotp(flow_key(server_key, owner).expose(), issue)
}

fn flow_key(server_key: &[u8; 32], owner: Owner) -> Secret<[u8; 32]> {
    let purpose: &[u8] = match owner.purpose {
        Purpose::Unspecified => b"",
        Purpose::SignIn => b"sign-in",
        Purpose::Reset => b"reset",
    };
    let parts = [
        purpose,
        owner.account.0.as_bytes().as_slice(),
        owner.flow.0.as_bytes(),
    ];
    Secret::new(mac::derive(server_key, LABEL, &parts))
}

/// RFC 4226, section 5.3, with six digits.
fn hotp(key: &[u8; 32], counter: u64) -> Digits {
    let mut mac = Hmac::<Sha1>::new(mac::block(key).expose().into());
    mac.update(&counter.to_be_bytes());
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let offset = usize::from(hash[19] & 0x0f);
    let word = [hash[offset], hash[offset + 1], hash[offset + 2], hash[offset + 3]];
    Digits::of_number((u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use sekisho_eventlog::Position;

    /// RFC 4226, appendix D.
    #[test]
    fn hotp_gives_the_values_of_the_rfc() {
        let mut key = [0; 32];
        key[..20].copy_from_slice(b"12345678901234567890");
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (counter, digits) in (0..).zip(expected) {
            assert_eq!(hotp(&key, counter).expose(), digits.as_bytes());
        }
    }

    /// Of another implementation (Python's hmac module), so that a change of the derivation cannot go unnoticed.
    #[test]
    fn the_derivation_stays_what_it_is() {
        let code = keys().code(owner(), "new", 7).unwrap();
        assert_eq!(code.expose(), b"231751");
    }

    #[test]
    fn every_part_of_the_owner_changes_the_code() {
        let others = [
            Owner {
                account: StreamId(Uuid::from_u128(9)),
                ..owner()
            },
            Owner {
                flow: FlowId(Uuid::from_u128(9)),
                ..owner()
            },
            Owner {
                purpose: Purpose::Reset,
                ..owner()
            },
        ];
        let run = |owner| -> Vec<[u8; 6]> {
            (1..4)
                .map(|issue| *keys().code(owner, "new", issue).unwrap().expose())
                .collect()
        };
        for other in others {
            assert_ne!(run(other), run(owner()), "{other:?}");
        }
        let old: Vec<_> = (1..4)
            .map(|issue| *keys().code(owner(), "old", issue).unwrap().expose())
            .collect();
        assert_ne!(old, run(owner()));
    }

    #[test]
    fn a_typed_code_is_right_replaced_or_wrong() {
        let digits = |issue| keys().code(owner(), "new", issue).unwrap();
        let finding = |typed: &Digits| keys().compare(owner(), &issued(3), &[1, 2], typed).unwrap();
        assert_eq!(finding(&digits(3)), Finding::Right);
        assert_eq!(finding(&digits(1)), Finding::Replaced);
        assert_eq!(finding(&digits(2)), Finding::Replaced);
        assert_eq!(finding(&digits(4)), Finding::Wrong);
    }

    #[test]
    fn a_key_that_is_gone_is_named_as_such() {
        assert!(matches!(keys().code(owner(), "gone", 1), Err(KeyMissing)));
    }

    fn owner() -> Owner {
        Owner {
            account: StreamId(Uuid::from_u128(1)),
            flow: FlowId(Uuid::from_u128(2)),
            purpose: Purpose::SignIn,
        }
    }

    fn issued(issue: u64) -> Issued {
        Issued {
            issue,
            key_id: "new".to_owned(),
            reference: String::new(),
            issued_at: OffsetDateTime::UNIX_EPOCH,
            expires_at: OffsetDateTime::UNIX_EPOCH,
            position: Position(1),
            withheld: false,
        }
    }

    fn keys() -> Keys {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("new {}\nold {}\n", "ab".repeat(32), "01".repeat(32));
        std::fs::write(file.path(), text).unwrap();
        Keys::new(KeyRing::read(file.path()).unwrap())
    }
}
