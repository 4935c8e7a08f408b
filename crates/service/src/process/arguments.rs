//! The few arguments that every service takes; everything else is configuration.

use crate::settings::{Presence, Setting};
use std::fmt::Write as _;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Version,
    Help,
    Settings,
    Unknown(String),
}

pub(super) fn parse(mut arguments: impl Iterator<Item = String>) -> Asked {
    match arguments.next().as_deref() {
        None => Asked::Nothing,
        Some("--version" | "-V") => Asked::Version,
        Some("--help" | "-h") => Asked::Help,
        Some("--settings") => Asked::Settings,
        Some(other) => Asked::Unknown(other.to_owned()),
    }
}

pub(super) fn help(program: &str, settings: &[Setting]) -> String {
    let mut text = format!(
        "{}\n\nSettings, from the environment (--settings prints them as a Markdown table):\n",
        crate::version::line(program)
    );
    for setting in settings {
        let presence = match &setting.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional => "optional".to_owned(),
            Presence::Default(default) => format!("default {default}"),
        };
        let secret = if setting.secret { ", secret" } else { "" };
        let Setting { name, kind, help, .. } = setting;
        let _ = write!(text, "\n  {name}  ({kind}, {presence}{secret})\n      {help}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Asked {
        parse(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn a_service_takes_no_arguments_but_these() {
        assert_eq!(asked(&[]), Asked::Nothing);
        assert_eq!(asked(&["--version"]), Asked::Version);
        assert_eq!(asked(&["--help"]), Asked::Help);
        assert_eq!(asked(&["--settings"]), Asked::Settings);
        assert_eq!(asked(&["--verbose"]), Asked::Unknown("--verbose".to_owned()));
    }
}
