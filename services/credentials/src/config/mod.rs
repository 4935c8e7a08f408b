//! Settings, `SEKISHO_CREDENTIALS_…`.

mod former;
mod provider;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use sekisho_eventlog::LogAccess;
use sekisho_service::server::ServerSettings;
use sekisho_service::settings::{KeyRing, Reader, Settings};

use crate::domain::{InitialPasswords, Lockout, NewPasswords, Rules};
use crate::former::TokenEndpoint;
use crate::provider::ProviderSettings;

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
    /// Seal the password hashes.
    pub peppers: KeyRing,
    /// What this installation has chosen within the rule book.
    pub rules: Rules,
    /// Passwords that are hashed at the same time.
    pub hash_concurrency: NonZeroUsize,
    /// Passwords that wait to be hashed.
    pub hash_queue: usize,
    /// The system that people signed in to before.
    pub former: Option<TokenEndpoint>,
    /// The provider of NCR accounts.
    pub provider: Option<ProviderSettings>,
}

/// A setting is wrong, and the reader has been told.
struct Mistaken;

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
        let peppers = reader.required(
            "PEPPER_FILE",
            "seal the password hashes; the first line is current. Keep it apart from the database and its backups",
        );
        let lockout = read_lockout(reader);
        let new_passwords = read_new_passwords(reader);
        let initial_passwords = read_initial_passwords(reader);
        let denial_time = read_denial_time(reader);
        let hash_concurrency = reader.optional(
            "HASH_CONCURRENCY",
            "passwords hashed at the same time, 19 MiB each; without it as many as there are cores",
        );
        let hash_queue = reader.or(
            "HASH_QUEUE",
            "16",
            "passwords that may wait to be hashed; more are refused",
        );
        let former = former::read(reader);
        let provider = provider::read(reader);
        Some(Self {
            server: server?,
            admin_listen: admin_listen?,
            log: log?,
            master_keys: master_keys?,
            phantom_keys: phantom_keys?,
            peppers: peppers?,
            rules: Rules {
                lockout: lockout?,
                new_passwords: new_passwords?,
                initial_passwords: initial_passwords?,
                denial_time: denial_time?,
            },
            hash_concurrency: hash_concurrency?.unwrap_or_else(cores),
            hash_queue: hash_queue?,
            former: former.ok()?,
            provider: provider.ok()?,
        })
    }
}

/// What phantoms have sealed names no key, so a second one could only be forgotten.
fn read_phantom_key(reader: &mut Reader) -> Option<KeyRing> {
    const FILE: &str = "PHANTOM_KEY_FILE";
    let help = "derives the streams of unknown login ids, and what ties sign-ins with an NCR account to their flow; one key, which never \
                changes";
    let keys: KeyRing = reader.required(FILE, help)?;
    if !keys.is_single() {
        reader.mistake(FILE, "holds more than one key");
        return None;
    }
    Some(keys)
}

/// The numbers of Azure AD B2C's smart lockout and the bounds of NIST SP 800-63B-4 §3.2.2 (screens, part 6).
fn read_lockout(reader: &mut Reader) -> Option<Lockout> {
    let threshold = reader.or(
        "LOCK_THRESHOLD",
        "10",
        "wrong passwords in a row that lock an account; 3 to 10",
    );
    let first = reader.or::<Duration>(
        "LOCK_FIRST",
        "60s",
        "the first lock; 1 minute or more. Each tenth lock doubles it",
    );
    let longest = reader.or::<Duration>("LOCK_LONGEST", "5h", "the longest lock; 5 hours or less");
    let closes_at = reader.or(
        "LOCK_CLOSES_AT",
        "100",
        "wrong passwords in a row after which only a new password helps; 100 or less",
    );
    let lockout = Lockout {
        threshold: threshold?,
        first: first?,
        longest: longest?,
        closes_at: closes_at?,
    };
    let mistakes = [
        (
            !(3..=10).contains(&lockout.threshold),
            "LOCK_THRESHOLD",
            "is not from 3 to 10",
        ),
        (
            lockout.first < Duration::from_mins(1),
            "LOCK_FIRST",
            "is shorter than a minute",
        ),
        (
            lockout.longest > Duration::from_hours(5) || lockout.longest < lockout.first,
            "LOCK_LONGEST",
            "is longer than 5 hours or shorter than LOCK_FIRST",
        ),
        (
            lockout.closes_at > 100 || lockout.closes_at <= lockout.threshold,
            "LOCK_CLOSES_AT",
            "is more than 100 or not more than LOCK_THRESHOLD",
        ),
    ];
    for (_, name, problem) in mistakes.iter().filter(|(is_wrong, ..)| *is_wrong) {
        reader.mistake(name, *problem);
    }
    mistakes.iter().all(|(is_wrong, ..)| !is_wrong).then_some(lockout)
}

/// The bounds of screens, part 6. Fewer than 15 code points are for who has accepted the risk: the password is the only
/// factor (NIST SP 800-63B-4 §3.1.1.2).
fn read_new_passwords(reader: &mut Reader) -> Option<NewPasswords> {
    const SHORTEST: &str = "PASSWORD_SHORTEST";
    let shortest = reader.or::<usize>(
        SHORTEST,
        "15",
        "characters of a new password; 8 to 15. Mail is no second factor, so fewer than 15 are a risk that somebody must accept",
    );
    let words = reader.or(
        "PASSWORD_WORDS",
        "gtol, gantoroku, 国立がん研究センター, がん登録",
        "words that stand in no new password, beside the person's own login id, name and facility",
    );
    let shortest = shortest?;
    if !(8..=15).contains(&shortest) {
        reader.mistake(SHORTEST, "is not from 8 to 15");
        return None;
    }
    Some(NewPasswords {
        shortest,
        words: words?,
    })
}

/// OWASP ASVS 6.4.1; off until the customer says so (screens, A-9).
fn read_initial_passwords(reader: &mut Reader) -> Option<InitialPasswords> {
    let must_change = reader.choice(
        "INITIAL_PASSWORD",
        &[("stays", false), ("must-change", true)],
        "stays",
        "whether a distributed password can be used for more than choosing another one",
    );
    let life = reader.optional(
        "INITIAL_PASSWORD_LIFE",
        "how long a distributed password signs in, such as 30days; after that it opens the choice of another one only. Without \
         it, for ever",
    );
    Some(InitialPasswords {
        must_change: must_change?,
        life: life?,
    })
}

/// The gateway waits for an answer two seconds.
fn read_denial_time(reader: &mut Reader) -> Option<Duration> {
    const NAME: &str = "DENIAL_TIME";
    let time = reader.or(
        NAME,
        "150ms",
        "the least time that a denied sign-in and a request for a reset take, so that it does not tell why; longer than a hash \
         and a commit, from 50 milliseconds to 1 second",
    )?;
    if !(Duration::from_millis(50)..=Duration::from_secs(1)).contains(&time) {
        reader.mistake(NAME, "is not between 50 milliseconds and 1 second");
        return None;
    }
    Some(time)
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

    /// The lockout alone.
    struct Locks(Lockout);

    impl Settings for Locks {
        fn read(reader: &mut Reader) -> Option<Self> {
            read_lockout(reader).map(Self)
        }
    }

    fn locks(variables: &[(&str, &str)]) -> Result<Lockout, Vec<String>> {
        let source: Source = variables.iter().copied().collect();
        match load::<Locks>("", &source) {
            Ok(locks) => Ok(locks.0),
            Err(mistakes) => Err(mistakes.iter().map(|mistake| mistake.name.clone()).collect()),
        }
    }

    #[test]
    fn the_lockout_is_that_of_the_rule_book_unless_it_is_made_stricter() {
        assert_eq!(locks(&[]), Ok(Lockout::default()));
        assert_eq!(locks(&[("LOCK_THRESHOLD", "3")]).unwrap().threshold, 3);
        for (name, value) in [
            ("LOCK_THRESHOLD", "2"),
            ("LOCK_THRESHOLD", "11"),
            ("LOCK_FIRST", "59s"),
            ("LOCK_LONGEST", "301m"),
            ("LOCK_LONGEST", "30s"),
            ("LOCK_CLOSES_AT", "101"),
            ("LOCK_CLOSES_AT", "10"),
        ] {
            assert_eq!(locks(&[(name, value)]), Err(vec![name.to_owned()]), "{value}");
        }
    }

    /// New and distributed passwords alone.
    struct Passwords(NewPasswords, InitialPasswords);

    impl Settings for Passwords {
        fn read(reader: &mut Reader) -> Option<Self> {
            let (new, initial) = (read_new_passwords(reader), read_initial_passwords(reader));
            Some(Self(new?, initial?))
        }
    }

    #[test]
    fn a_new_password_has_8_to_15_characters_or_more_and_no_word_of_this_system() {
        let source = |variables: &[(&str, &str)]| variables.iter().copied().collect::<Source>();
        let Passwords(new, initial) = load::<Passwords>("", &source(&[])).unwrap();
        assert_eq!(new.shortest, 15);
        assert_eq!(
            new.words,
            ["gtol", "gantoroku", "国立がん研究センター", "がん登録"]
        );
        assert_eq!(initial, InitialPasswords::default());
        for refused in ["7", "16"] {
            assert!(load::<Passwords>("", &source(&[("PASSWORD_SHORTEST", refused)])).is_err());
        }
        let strict = [
            ("INITIAL_PASSWORD", "must-change"),
            ("INITIAL_PASSWORD_LIFE", "30days"),
        ];
        let Passwords(_, initial) = load::<Passwords>("", &source(&strict)).unwrap();
        assert!(initial.must_change);
        assert_eq!(initial.life, Some(Duration::from_hours(24 * 30)));
    }

    #[test]
    fn without_a_pepper_nothing_starts() {
        let mistakes = load::<Config>("X_", &Source::default()).unwrap_err();
        let mut named = mistakes.iter().map(|mistake| mistake.name.as_str());
        assert!(named.any(|name| name == "X_PEPPER_FILE"));
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
