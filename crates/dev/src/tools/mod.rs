//! The programs of others that we need: where they are, and how they come onto the machine.

mod install;
mod machine;
mod services;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

pub use install::{Consent, provide};
pub use machine::{Machine, ThisMachine};

/// The oldest PostgreSQL that Sekisho works with.
const OLDEST_POSTGRESQL: u32 = 15;

/// A program, or in one case a font, that somebody else made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The database server, with `initdb` and `psql` beside it.
    PostgreSql,
    /// The message bus.
    NatsServer,
    /// The browser of the end-to-end tests.
    Chromium,
    /// What drives that browser.
    ChromiumDriver,
    /// A font with Japanese characters, for pictures of pages.
    JapaneseFont,
    /// The other browser, for a part of the long tier.
    Firefox,
    /// What fetches the provider of NCR accounts, and the Node that runs it.
    Npm,
}

impl Tool {
    /// What `cargo dev up` needs.
    pub const SERVERS: [Self; 2] = [Self::PostgreSql, Self::NatsServer];
    /// What the tests of the short tier need.
    pub const ALL: [Self; 6] = [
        Self::PostgreSql,
        Self::NatsServer,
        Self::Chromium,
        Self::ChromiumDriver,
        Self::JapaneseFont,
        Self::Npm,
    ];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PostgreSql => "PostgreSQL 15 or newer",
            Self::NatsServer => "the NATS server",
            Self::Chromium => "Chromium",
            Self::ChromiumDriver => "Chromium's driver",
            Self::JapaneseFont => "a Japanese font",
            Self::Npm => "npm",
            Self::Firefox => "Firefox",
        }
    }

    /// Its package in Debian and Ubuntu.
    pub fn apt(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql",
            Self::NatsServer => "nats-server",
            Self::Chromium => "chromium",
            Self::ChromiumDriver => "chromium-driver",
            Self::JapaneseFont => "fonts-noto-cjk",
            Self::Npm => "npm",
            Self::Firefox => "firefox-esr",
        }
    }

    /// Its name in Homebrew.
    pub fn brew(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql@17",
            Self::NatsServer => "nats-server",
            Self::Chromium => "--cask chromium",
            Self::ChromiumDriver => "--cask chromedriver",
            Self::JapaneseFont => "--cask font-noto-sans-cjk-jp",
            Self::Npm => "node",
            Self::Firefox => "--cask firefox",
        }
    }

    /// Where it is, or `None` if it is missing. For PostgreSQL the folder of its programs.
    pub fn find(self, places: &Places) -> Option<PathBuf> {
        match self {
            Self::PostgreSql => places.postgresql(),
            Self::NatsServer => places.on_path("nats-server"),
            Self::Chromium => places.first_of(&["chromium", "google-chrome", "chromium-browser"]),
            Self::ChromiumDriver => places.on_path("chromedriver"),
            Self::JapaneseFont => places.japanese_font(),
            Self::Npm => places.on_path("npm"),
            Self::Firefox => places.first_of(&["firefox-esr", "firefox"]),
        }
    }
}

/// Where to look for programs.
#[derive(Debug, Clone)]
pub struct Places {
    /// Folders of programs, in order.
    pub path: Vec<PathBuf>,
    /// The folder that holds one folder for each version of PostgreSQL.
    pub postgresql: PathBuf,
    /// Folders of fonts.
    pub fonts: Vec<PathBuf>,
}

/// The places of this machine: `PATH`, and the folders of Debian and Homebrew that are often not on it.
pub fn places() -> Places {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = [
        "/usr/local/bin",
        "/usr/bin",
        "/bin",
        "/usr/sbin",
        "/sbin",
        "/opt/homebrew/bin",
    ];
    let brewed = [
        "/opt/homebrew/opt/postgresql@17/bin",
        "/usr/local/opt/postgresql@17/bin",
    ];
    Places {
        path: std::env::split_paths(&path)
            .chain(more.iter().chain(&brewed).map(PathBuf::from))
            .collect(),
        postgresql: PathBuf::from("/usr/lib/postgresql"),
        fonts: vec![PathBuf::from("/usr/share/fonts"), PathBuf::from("/Library/Fonts")],
    }
}

impl Places {
    /// The first program of this name.
    pub fn on_path(&self, name: &str) -> Option<PathBuf> {
        self.path
            .iter()
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    }

    fn first_of(&self, names: &[&str]) -> Option<PathBuf> {
        names.iter().find_map(|name| self.on_path(name))
    }

    fn postgresql(&self) -> Option<PathBuf> {
        let versions = std::fs::read_dir(&self.postgresql)
            .into_iter()
            .flatten()
            .flatten();
        let newest = versions
            .filter_map(|entry| {
                Some((
                    entry.file_name().to_str()?.parse::<u32>().ok()?,
                    entry.path().join("bin"),
                ))
            })
            .filter(|(version, programs)| *version >= OLDEST_POSTGRESQL && programs.join("initdb").is_file())
            .max();
        newest.map(|(_, programs)| programs).or_else(|| {
            let on_path = self.path.iter().filter(|folder| folder.join("initdb").is_file());
            on_path
                .into_iter()
                .find(|folder| version(folder) >= Some(OLDEST_POSTGRESQL))
                .cloned()
        })
    }

    fn japanese_font(&self) -> Option<PathBuf> {
        const KNOWN: [&str; 5] = ["CJK", "ipa", "takao", "vlgothic", "Hiragino"];
        self.fonts.iter().find_map(|folder| find_named(folder, &KNOWN, 3))
    }
}

/// The major version of the PostgreSQL whose programs are in this folder.
fn version(programs: &Path) -> Option<u32> {
    let output = Command::new(programs.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = text
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.split('.').next()?.parse().ok()
}

fn find_named(folder: &Path, parts: &[&str], depth: usize) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().find_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if path.is_dir() {
            return if depth > 0 {
                find_named(&path, parts, depth - 1)
            } else {
                None
            };
        }
        parts.iter().any(|part| name.contains(part)).then_some(path)
    })
}

/// Where a tool is.
///
/// # Errors
/// When it is missing; the sentence says how to get it.
pub fn require(tool: Tool) -> Result<PathBuf> {
    tool.find(&places()).with_context(|| {
        format!(
            "{} is missing; `cargo dev up` or `cargo dev test` installs it",
            tool.name()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn machine_with(versions: &[&str]) -> (tempfile::TempDir, Places) {
        let root = tempfile::tempdir().unwrap();
        for version in versions {
            let programs = root.path().join(version).join("bin");
            fs::create_dir_all(&programs).unwrap();
            fs::write(programs.join("initdb"), "").unwrap();
        }
        let places = Places {
            path: Vec::new(),
            postgresql: root.path().to_path_buf(),
            fonts: Vec::new(),
        };
        (root, places)
    }

    #[test]
    fn the_newest_postgresql_is_found_and_one_that_is_too_old_is_not() {
        let (root, places) = machine_with(&["9.6", "14", "15", "17"]);
        assert_eq!(Tool::PostgreSql.find(&places), Some(root.path().join("17/bin")));
        let (_root, old) = machine_with(&["14"]);
        assert_eq!(Tool::PostgreSql.find(&old), None);
    }

    /// `cargo dev up` says so, and starts everything else.
    #[test]
    fn without_npm_there_is_no_provider() {
        let (root, places) = machine_with(&[]);
        assert_eq!(Tool::Npm.find(&places), None);
        fs::write(root.path().join("npm"), "").unwrap();
        let places = Places {
            path: vec![root.path().to_path_buf()],
            ..places
        };
        assert_eq!(Tool::Npm.find(&places), Some(root.path().join("npm")));
    }

    #[test]
    fn a_program_is_found_outside_the_path_of_an_empty_environment() {
        let folders = places().path;
        assert!(folders.contains(&PathBuf::from("/usr/sbin")), "{folders:?}");
    }
}
