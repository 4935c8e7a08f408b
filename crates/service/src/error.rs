//! How errors are written to a log.

use std::error::Error;
use std::fmt::Write as _;

/// An error and all its sources in one line, outermost first, because no `Display` here prints its own source.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        // Some foreign errors do print their source; once is enough.
        let text = inner.to_string();
        if !line.ends_with(&text) {
            let _ = write!(line, ": {text}");
        }
        source = inner.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the settings cannot be read")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_chain_names_every_source_once() {
        let error = Outer(std::io::Error::other("no such file"));
        assert_eq!(chain(&error), "the settings cannot be read: no such file");
    }
}
