//! Settings, `SEKISHO_CREDENTIALS_…`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use sekisho_eventlog::LogAccess;
use sekisho_service::server::ServerSettings;
use sekisho_service::settings::{KeyRing, Reader, Settings};

/// Everything that the service is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where gateway and otp call, and who this process is.
    pub server: ServerSettings,
    /// Where administrators call.
    pub admin_listen: SocketAddr,
    /// The log, and the tables beside it.
    pub log: LogAccess,
    /// Wrap the personal keys.
    pub master_keys: KeyRing,
    /// Derives phantoms and their keys. One key for ever: with another, every unknown login id becomes another phantom.
    pub phantom_keys: KeyRing,
    /// Passwords that are hashed at the same time.
    pub hash_concurrency: NonZeroUsize,
    /// Passwords that wait to be hashed.
    pub hash_queue: usize,
}

impl Settings for Config {
    fn read(reader: &mut Reader) -> Option<Self> {
        let server = ServerSettings::read(reader);
        let admin_listen = reader.required("ADMIN_LISTEN", "where administrators call");
        let log = LogAccess::read(reader);
        let master_keys = reader.required(
            "MASTER_KEY_FILE",
            "wrap the personal keys; the first line is current",
        );
        let phantom_keys = read_phantom_key(reader);
        let hash_concurrency = reader.optional(
            "HASH_CONCURRENCY",
            "passwords hashed at the same time, 19 MiB each; without it as many as there are cores",
        );
        let hash_queue = reader.or(
            "HASH_QUEUE",
            "16",
            "passwords that may wait to be hashed; more are refused",
        );
        Some(Self {
            server: server?,
            admin_listen: admin_listen?,
            log: log?,
            master_keys: master_keys?,
            phantom_keys: phantom_keys?,
            hash_concurrency: hash_concurrency?.unwrap_or_else(cores),
            hash_queue: hash_queue?,
        })
    }
}

/// What phantoms have sealed names no key, so a second one could only be forgotten.
fn read_phantom_key(reader: &mut Reader) -> Option<KeyRing> {
    const FILE: &str = "PHANTOM_KEY_FILE";
    let help = "derives the streams of unknown login ids; one key, which never changes";
    let keys: KeyRing = reader.required(FILE, help)?;
    if !keys.is_single() {
        reader.mistake(FILE, "holds more than one key");
        return None;
    }
    Some(keys)
}

fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use sekisho_service::settings::{Source, load};

    use super::*;

    /// The phantom key alone.
    struct PhantomKey;

    impl Settings for PhantomKey {
        fn read(reader: &mut Reader) -> Option<Self> {
            read_phantom_key(reader).map(|_| Self)
        }
    }

    fn mistakes(lines: &[(&str, &str)]) -> Option<String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for (id, byte) in lines {
            writeln!(file, "{id} {}", byte.repeat(32)).unwrap();
        }
        let path = file.path().display().to_string();
        let source: Source = [("X_PHANTOM_KEY_FILE", path.as_str())].into_iter().collect();
        load::<PhantomKey>("X_", &source)
            .err()
            .map(|mistakes| mistakes.to_string())
    }

    #[test]
    fn a_second_phantom_key_is_a_mistake() {
        assert_eq!(mistakes(&[("1", "ab")]), None);
        let two = mistakes(&[("2", "cd"), ("1", "ab")]).unwrap();
        assert!(
            two.contains("more than one key") && !two.contains("cdcd"),
            "{two}"
        );
    }
}
