//! Configuration: read once, typed at once, every mistake reported at once by name and never with a value.
//!
//! A process's settings are one struct whose [`Settings::read`] asks a [`Reader`] for each variable and unwraps only
//! afterwards, so that all mistakes are found:
//!
//! ```
//! use sekisho_service::settings::{Reader, Secret, Settings};
//! use std::time::Duration;
//!
//! struct Config {
//!     database_url: Secret<String>,
//!     idle_timeout: Duration,
//! }
//!
//! impl Settings for Config {
//!     fn read(reader: &mut Reader) -> Option<Self> {
//!         let database_url = reader.required("DATABASE_URL", "where the log lives");
//!         let idle_timeout = reader.or("IDLE_TIMEOUT", "30m", "a session unused for so long ends");
//!         Some(Self { database_url: database_url?, idle_timeout: idle_timeout? })
//!     }
//! }
//! ```
//!
//! The same function, run against nothing, yields the reference for the documentation ([`reference()`]).

mod bus_url;
mod host;
mod keyring;
mod mistakes;
mod reader;
mod secret;
mod source;
mod value;

pub use bus_url::BusUrl;
pub use host::is_loopback;
pub use keyring::{KeyRing, KeyRingError};
pub use mistakes::{Mistake, Mistakes};
pub use reader::{Presence, Reader, Setting};
pub use secret::Secret;
pub use source::Source;
pub use value::Value;

use std::fmt::Write as _;

/// A group of settings that can be read together.
pub trait Settings: Sized {
    /// Reads every variable first and unwraps afterwards. `None` only if the reader has noted a mistake.
    fn read(reader: &mut Reader) -> Option<Self>;
}

/// For programs that have no settings of their own.
impl Settings for () {
    fn read(_reader: &mut Reader) -> Option<Self> {
        Some(())
    }
}

/// Two groups read as one.
impl<A: Settings, B: Settings> Settings for (A, B) {
    fn read(reader: &mut Reader) -> Option<Self> {
        let first = A::read(reader);
        let second = B::read(reader);
        Some((first?, second?))
    }
}

/// Reads the settings `C` whose variables start with `prefix` (`SEKISHO_OTP_`).
///
/// # Errors
///
/// All mistakes, in the order in which the variables were read.
pub fn load<C: Settings>(prefix: &str, source: &Source) -> Result<C, Mistakes> {
    let mut reader = Reader::new(prefix, source.clone());
    let settings = C::read(&mut reader);
    let mistakes = reader.into_mistakes();
    match settings {
        Some(settings) if mistakes.is_empty() => Ok(settings),
        _ => Err(mistakes),
    }
}

/// Every variable of `C`, in the order of reading, for `--help` and the generated documentation.
pub fn reference<C: Settings>(prefix: &str) -> Vec<Setting> {
    let mut reader = Reader::new(prefix, Source::default());
    let _ = C::read(&mut reader);
    reader.into_settings()
}

/// A reference as a Markdown table, for the generated documentation.
pub fn markdown(settings: &[Setting]) -> String {
    let mut text = "| variable | kind | default | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for Setting {
        name,
        kind,
        presence,
        secret,
        help,
    } in settings
    {
        let default = match presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional => "none".to_owned(),
            Presence::Default(default) => format!("`{default}`"),
        };
        let secret = if *secret { ", secret" } else { "" };
        let _ = writeln!(text, "| `{name}` | {kind}{secret} | {default} | {help} |");
    }
    text
}

/// Names of variables that start with `prefix` and that `C` does not read: most often a misspelt name.
///
/// Not a mistake, because a cluster injects variables of its own beside ours.
pub fn unknown<C: Settings>(prefix: &str, source: &Source) -> Vec<String> {
    let known = reference::<C>(prefix);
    source
        .names()
        .filter(|name| name.starts_with(prefix))
        .filter(|name| known.iter().all(|setting| setting.name != *name))
        .map(str::to_owned)
        .collect()
}
