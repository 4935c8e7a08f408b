//! Settings, with the prefix `SEKISHO_SESSIONS_`.

use std::net::SocketAddr;
use std::time::Duration;

use sekisho_eventlog::LogAccess;
use sekisho_service::server::ServerSettings;
use sekisho_service::settings::{Reader, Settings};

use crate::domain::Limits;
use crate::seal::TombstoneKeys;

/// What the service is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the gateway calls.
    pub server: ServerSettings,
    /// Where administrators call.
    pub admin_listen: SocketAddr,
    /// The log.
    pub log: LogAccess,
    /// How long a session lives.
    pub limits: Limits,
    /// What seals the ends that replicas tell each other.
    pub keys: TombstoneKeys,
}

impl Settings for Config {
    fn read(reader: &mut Reader) -> Option<Self> {
        let server = ServerSettings::read(reader);
        let admin_listen =
            reader.required("ADMIN_LISTEN", "where the gRPC server for administrators listens");
        let log = LogAccess::read(reader);
        let limits = read_limits(reader);
        let keys = reader.required(
            "TOMBSTONE_KEY_FILE",
            "the keys by which replicas believe each other that a session has ended, `<id> <64 hex digits>` a line",
        );
        Some(Self {
            server: server?,
            admin_listen: admin_listen?,
            log: log?,
            limits: limits?,
            keys: TombstoneKeys::new(keys?),
        })
    }
}

/// 30 minutes and 12 hours are the manual's.
fn read_limits(reader: &mut Reader) -> Option<Limits> {
    let idle = reader.or::<Duration>(
        "IDLE_TIMEOUT",
        "30m",
        "a session without activity for so long ends",
    );
    let absolute = reader.or::<Duration>("ABSOLUTE_TIMEOUT", "12h", "a session as old as this ends");
    let (idle, absolute) = (idle?, absolute?);
    if idle.is_zero() {
        reader.mistake("IDLE_TIMEOUT", "would end every session at once");
        return None;
    }
    if absolute < idle {
        reader.mistake("ABSOLUTE_TIMEOUT", "is shorter than IDLE_TIMEOUT");
        return None;
    }
    let limits = Limits {
        idle: idle.try_into().ok()?,
        absolute: absolute.try_into().ok()?,
    };
    Some(limits)
}

#[cfg(test)]
mod tests {
    use sekisho_service::settings::{Mistakes, Source, load};

    use super::*;

    /// The timeouts alone.
    struct Timeouts(Limits);

    impl Settings for Timeouts {
        fn read(reader: &mut Reader) -> Option<Self> {
            read_limits(reader).map(Self)
        }
    }

    fn timeouts(variables: &[(&str, &str)]) -> Result<Limits, Mistakes> {
        let source: Source = variables.iter().copied().collect();
        load::<Timeouts>("", &source).map(|timeouts| timeouts.0)
    }

    #[test]
    fn the_manuals_timeouts_are_the_defaults() {
        let limits = timeouts(&[]).unwrap();
        assert_eq!(limits.idle, time::Duration::minutes(30));
        assert_eq!(limits.absolute, time::Duration::hours(12));
    }

    #[test]
    fn timeouts_that_make_no_sense_are_mistakes() {
        for (name, value) in [
            ("IDLE_TIMEOUT", "0s"),
            ("IDLE_TIMEOUT", "13h"),
            ("ABSOLUTE_TIMEOUT", "29m"),
            ("ABSOLUTE_TIMEOUT", "1000000000000years"),
        ] {
            assert!(timeouts(&[(name, value)]).is_err(), "{name}={value}");
        }
    }
}
