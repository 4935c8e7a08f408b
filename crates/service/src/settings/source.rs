//! Where settings come from.

use std::collections::BTreeMap;
use std::fmt;

/// Variables by name. A map, so that tests need not touch the environment of their process.
#[derive(Clone, Default)]
pub struct Source {
    variables: BTreeMap<String, String>,
}

impl Source {
    /// The environment of this process.
    pub fn environment() -> Self {
        let lossy = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        };
        Self {
            variables: std::env::vars_os().map(lossy).collect(),
        }
    }

    /// A variable's value; an empty one counts as absent, as it does for OpenTelemetry.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The names of all variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Source {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let owned = |(name, value): (N, V)| (name.into(), value.into());
        Self {
            variables: variables.into_iter().map(owned).collect(),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.variables.keys()).finish()
    }
}
