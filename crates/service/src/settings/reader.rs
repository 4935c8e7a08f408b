//! Reads variables, notes mistakes, remembers what was asked for.

use super::{Mistakes, Source, Value};

/// Hands out typed values and collects every mistake on the way.
#[derive(Debug)]
pub struct Reader {
    prefix: String,
    source: Source,
    mistakes: Mistakes,
    settings: Vec<Setting>,
}

/// One variable, as the reference describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The whole name of the variable.
    pub name: String,
    /// What its text must be.
    pub kind: String,
    /// Whether it must be given, and what counts if it is not.
    pub presence: Presence,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// What it is for.
    pub help: &'static str,
}

/// Whether a variable must be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The process does not start without it.
    Required,
    /// Without it, something is left out.
    Optional,
    /// Without it, this text counts.
    Default(&'static str),
}

impl Reader {
    pub(super) fn new(prefix: &str, source: Source) -> Self {
        Self {
            prefix: prefix.to_owned(),
            source,
            mistakes: Mistakes::default(),
            settings: Vec::new(),
        }
    }

    /// A variable that must be given. `name` has no prefix.
    pub fn required<T: Value>(&mut self, name: &str, help: &'static str) -> Option<T> {
        let name = self.ask::<T>(name, Presence::Required, help);
        if self.source.get(&name).is_none() {
            self.mistakes.push(name, "is missing".to_owned());
            return None;
        }
        self.parse(&name)
    }

    /// A variable that may be absent: the outer `None` is a mistake, the inner one absence.
    pub fn optional<T: Value>(&mut self, name: &str, help: &'static str) -> Option<Option<T>> {
        let name = self.ask::<T>(name, Presence::Optional, help);
        if self.source.get(&name).is_none() {
            return Some(None);
        }
        self.parse(&name).map(Some)
    }

    /// A variable with a default, written as the text that one would set.
    pub fn or<T: Value>(&mut self, name: &str, default: &'static str, help: &'static str) -> Option<T> {
        let name = self.ask::<T>(name, Presence::Default(default), help);
        if self.source.get(&name).is_some() {
            return self.parse(&name);
        }
        let parsed = T::parse(default);
        self.note(&name, parsed)
    }

    /// A variable that takes one of a few words; `default` is one of them.
    pub fn choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&'static str, T)],
        default: &'static str,
        help: &'static str,
    ) -> Option<T> {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let kind = words.join(" or ");
        let name = self.remember(name, kind.clone(), Presence::Default(default), false, help);
        let given = self.source.get(&name).unwrap_or(default);
        let chosen = choices.iter().find(|(word, _)| *word == given);
        let parsed = chosen.map(|(_, value)| *value).ok_or(format!("is not {kind}"));
        self.note(&name, parsed)
    }

    /// Notes a mistake that only two variables together show. `name` has no prefix; `problem` holds no value.
    pub fn mistake(&mut self, name: &str, problem: impl Into<String>) {
        self.mistakes
            .push(format!("{}{name}", self.prefix), problem.into());
    }

    pub(super) fn into_mistakes(self) -> Mistakes {
        self.mistakes
    }

    pub(super) fn into_settings(self) -> Vec<Setting> {
        self.settings
    }

    fn ask<T: Value>(&mut self, name: &str, presence: Presence, help: &'static str) -> String {
        self.remember(name, T::KIND.to_owned(), presence, T::SECRET, help)
    }

    fn remember(
        &mut self,
        name: &str,
        kind: String,
        presence: Presence,
        secret: bool,
        help: &'static str,
    ) -> String {
        let name = format!("{}{name}", self.prefix);
        self.settings.push(Setting {
            name: name.clone(),
            kind,
            presence,
            secret,
            help,
        });
        name
    }

    fn parse<T: Value>(&mut self, name: &str) -> Option<T> {
        let parsed = T::parse(self.source.get(name)?);
        self.note(name, parsed)
    }

    fn note<T>(&mut self, name: &str, parsed: Result<T, String>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(problem) => {
                self.mistakes.push(name.to_owned(), problem);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Secret, Settings, load, markdown, reference, unknown};
    use super::*;
    use std::time::Duration;

    #[derive(Debug)]
    struct Sample {
        database_url: Secret<String>,
        idle_timeout: Duration,
        nats_url: Option<Secret<String>>,
        test_clock: bool,
    }

    impl Settings for Sample {
        fn read(reader: &mut Reader) -> Option<Self> {
            let database_url = reader.required("DATABASE_URL", "where the log lives");
            let idle_timeout = reader.or("IDLE_TIMEOUT", "30m", "an unused session ends");
            let nats_url = reader.optional("NATS_URL", "the bus");
            let words = [("refused", false), ("allowed", true)];
            let test_clock = reader.choice("TEST_CLOCK", &words, "refused", "for tests");
            Some(Self {
                database_url: database_url?,
                idle_timeout: idle_timeout?,
                nats_url: nats_url?,
                test_clock: test_clock?,
            })
        }
    }

    #[test]
    fn defaults_and_absent_values_are_typed() {
        let source = [("X_DATABASE_URL", "postgres://")].into_iter().collect();
        let sample: Sample = load("X_", &source).unwrap();
        assert_eq!(sample.database_url.expose(), "postgres://");
        assert_eq!(sample.idle_timeout, Duration::from_mins(30));
        assert!(sample.nats_url.is_none());
        assert!(!sample.test_clock);
    }

    #[test]
    fn all_mistakes_are_named_at_once_and_no_value_is_printed() {
        let source = [
            ("X_IDLE_TIMEOUT", "canary"),
            ("X_TEST_CLOCK", "canary"),
            ("X_DATABASE_URL", " "),
        ];
        let mistakes = load::<Sample>("X_", &source.into_iter().collect()).unwrap_err();
        let names: Vec<_> = mistakes.iter().map(|mistake| mistake.name.as_str()).collect();
        assert_eq!(names, ["X_DATABASE_URL", "X_IDLE_TIMEOUT", "X_TEST_CLOCK"]);
        assert!(!mistakes.to_string().contains("canary"));
    }

    #[test]
    fn the_reference_lists_every_variable() {
        let settings = reference::<Sample>("X_");
        let names: Vec<_> = settings.iter().map(|setting| setting.name.as_str()).collect();
        assert_eq!(
            names,
            ["X_DATABASE_URL", "X_IDLE_TIMEOUT", "X_NATS_URL", "X_TEST_CLOCK"]
        );
        assert_eq!(settings[1].presence, Presence::Default("30m"));
        assert!(settings[0].secret && !settings[1].secret);
        assert_eq!(settings[3].kind, "refused or allowed");
        let line = "| `X_DATABASE_URL` | text, secret | required | where the log lives |";
        assert!(markdown(&settings).lines().any(|written| written == line));
    }

    #[test]
    fn a_misspelt_name_is_noticed() {
        let source = [("X_IDLE_TIMOUT", "30m"), ("X_NATS_URL", "nats://"), ("HOME", "/")]
            .into_iter()
            .collect();
        assert_eq!(unknown::<Sample>("X_", &source), ["X_IDLE_TIMOUT"]);
    }
}
