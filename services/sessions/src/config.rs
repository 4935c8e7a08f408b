//! Settings, with the prefix `SEKISHO_SESSIONS_`.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use sekisho_eventlog::LogAccess;
use sekisho_service::server::ServerSettings;
use sekisho_service::settings::{Reader, Settings};

use crate::domain::Limits;
use crate::keys::Keys;

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
    /// By which replicas believe each other.
    pub keys: Keys,
    /// A snapshot is taken when so many entries were folded since the newest one.
    pub snapshot_every: NonZeroU64,
}

impl Settings for Config {
    fn read(reader: &mut Reader) -> Option<Self> {
        let server = ServerSettings::read(reader);
        let admin_listen =
            reader.required("ADMIN_LISTEN", "where the gRPC server for administrators listens");
        let log = LogAccess::read(reader);
        let limits = read_limits(reader);
        let keys = reader.required(
            "KEY_FILE",
            "the keys by which replicas believe each other's tombstones and snapshots, `<id> <64 hex digits>` a line",
        );
        let snapshot_every = reader.or(
            "SNAPSHOT_EVERY",
            "50000",
            "entries of the log between two snapshots; a new replica folds about as many before it is ready",
        );
        Some(Self {
            server: server?,
            admin_listen: admin_listen?,
            log: log?,
            limits: limits?,
            keys: Keys::new(keys?),
            snapshot_every: snapshot_every?,
        })
    }
}

/// 30 minutes and 12 hours are the manual's.
fn read_limits(reader: &mut Reader) -> Option<Limits> {
    let idle = reader.or::<Duration>(
        "IDLE_TIMEOUT",
        "30m",
        "a session without activity for so long ends; the pages say 30 minutes whatever this is",
    );
    let absolute = reader.or::<Duration>(
        "ABSOLUTE_TIMEOUT",
        "12h",
        "a session as old as this ends; the pages say 12 hours whatever this is",
    );
    let stale = reader.or::<Duration>(
        "STALE_LIMIT",
        "30m",
        "while PostgreSQL cannot be reached, sessions that this replica knows are believed in for so long",
    );
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
        stale: stale?.try_into().ok()?,
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
        assert_eq!(limits.stale, time::Duration::minutes(30));
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
