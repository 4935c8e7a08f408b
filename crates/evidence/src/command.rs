//! Forms, told apart by a random id.

use sha2::{Digest, Sha256};

/// The id of one rendered form, 16 random bytes: the same form sent again gets the first answer.
///
/// Stands in no event, so that a digest over it gives even a short input away to nobody who reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandId([u8; 16]);

/// Not 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("command_id is not 16 bytes")]
pub struct CommandIdError;

impl CommandId {
    /// SHA-256(command id ‖ input), length-prefixed.
    pub fn digest(self, input: &[&[u8]]) -> [u8; 32] {
        let mut digest = Sha256::new();
        for part in std::iter::once(&self.0.as_slice()).chain(input) {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

impl From<[u8; 16]> for CommandId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for CommandId {
    type Error = CommandIdError;

    fn try_from(bytes: &[u8]) -> Result<Self, CommandIdError> {
        bytes.try_into().map(Self).map_err(|_| CommandIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_input_and_another_form_are_other_commands() {
        let form = CommandId::from([1; 16]);
        let first = form.digest(&[b"123456"]);
        assert_eq!(first, form.digest(&[b"123456"]));
        assert_ne!(first, form.digest(&[b"123457"]));
        assert_ne!(first, CommandId::from([2; 16]).digest(&[b"123456"]));
        assert_ne!(form.digest(&[b"12", b"3"]), form.digest(&[b"1", b"23"]));
    }

    #[test]
    fn an_id_that_could_be_guessed_is_none() {
        assert_eq!(CommandId::try_from([].as_slice()), Err(CommandIdError));
        assert_eq!(CommandId::try_from([1; 15].as_slice()), Err(CommandIdError));
        assert!(CommandId::try_from([1; 16].as_slice()).is_ok());
    }
}
