//! The manual's own texts.

/// A text that `tests/seed-strings.txt` lists; another test compares that list with the manual.
///
/// # Panics
/// When the list does not hold it: then nobody vouches for it.
pub fn seed(text: &str) -> &str {
    let listed = include_str!("../seed-strings.txt")
        .lines()
        .any(|line| line == text);
    assert!(listed, "{text:?} does not stand in tests/seed-strings.txt");
    text
}
