//! Login ids that nobody has.

use sekisho_eventlog::StreamId;

/// The version of the UUID of a phantom's stream (RFC 9562, 5.8): custom, derived from the login id. That of an account is 7.
const DERIVED: usize = 8;

/// Whether a stream of kind `account` or `code` is that of a login id that nobody has: no mail is owed there.
pub fn is_phantom(stream: StreamId) -> bool {
    stream.0.get_version_num() == DERIVED
}

#[cfg(test)]
mod tests {
    use uuid::{Builder, Uuid};

    use super::*;

    #[test]
    fn an_account_is_no_phantom() {
        assert!(is_phantom(StreamId(
            Builder::from_custom_bytes([7; 16]).into_uuid()
        )));
        for account in [
            Uuid::nil(),
            Builder::from_unix_timestamp_millis(1, &[7; 10]).into_uuid(),
        ] {
            assert!(!is_phantom(StreamId(account)));
        }
    }
}
