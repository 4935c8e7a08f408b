//! What is wrong with the configuration.

use std::fmt;

/// One variable and what is wrong with it. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The whole name of the variable.
    pub name: String,
    /// Such as "is missing".
    pub problem: String,
}

/// Every mistake of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One by one, in the order of reading.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }

    pub(super) fn push(&mut self, name: String, problem: String) {
        self.0.push(Mistake { name, problem });
    }
}

impl<'a> IntoIterator for &'a Mistakes {
    type Item = &'a Mistake;
    type IntoIter = std::slice::Iter<'a, Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The mistakes of several groups of settings as one list.
impl FromIterator<Mistakes> for Mistakes {
    fn from_iter<I: IntoIterator<Item = Mistakes>>(groups: I) -> Self {
        Self(groups.into_iter().flat_map(|group| group.0).collect())
    }
}

/// One line per mistake.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "{count} {noun} in the configuration")?;
        for Mistake { name, problem } in &self.0 {
            write!(f, "\n  {name}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
