//! Keys in a file, several of them, so that they can be changed without losing what the older ones made.

use super::{Secret, Value};
use std::path::Path;

/// 32-byte keys by id. The first is the current one; the others only read what they once wrote.
///
/// The file has one key per line, `<id> <64 hex digits>`; `#` starts a comment.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: Key,
    older: Vec<Key>,
}

#[derive(Clone, Debug)]
struct Key {
    id: String,
    bytes: Secret<[u8; 32]>,
}

/// Why a key file cannot be used. Names a line, never its content.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// The file is missing or closed to this user.
    #[error("the key file cannot be read ({0})")]
    Unreadable(std::io::ErrorKind),
    /// A line has another form.
    #[error("line {0} of the key file is not `<id> <64 hex digits>`")]
    Malformed(usize),
    /// Two keys have one id.
    #[error("line {0} of the key file repeats an id")]
    Repeated(usize),
    /// Nothing but comments.
    #[error("the key file holds no key")]
    Empty,
}

impl KeyRing {
    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or holds anything but keys and comments.
    pub fn read(path: &Path) -> Result<Self, KeyRingError> {
        let text = std::fs::read_to_string(path).map_err(|error| KeyRingError::Unreadable(error.kind()))?;
        Self::parse(&Secret::new(text))
    }

    /// The id and the key for everything new.
    pub fn current(&self) -> (&str, &[u8; 32]) {
        (&self.current.id, self.current.bytes.expose())
    }

    /// Whether there is no other key than the current one.
    pub fn is_single(&self) -> bool {
        self.older.is_empty()
    }

    /// The key of that id.
    pub fn get(&self, id: &str) -> Option<&[u8; 32]> {
        let found = self.keys().find(|key| key.id == id);
        found.map(|key| key.bytes.expose())
    }

    /// All keys, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.keys().map(|key| key.bytes.expose())
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }

    fn parse(text: &Secret<String>) -> Result<Self, KeyRingError> {
        let mut keys: Vec<Key> = Vec::new();
        for (index, line) in text.expose().lines().enumerate() {
            let number = index + 1;
            let content = line.split('#').next().unwrap_or_default().trim();
            if content.is_empty() {
                continue;
            }
            let key = Key::parse(content).ok_or(KeyRingError::Malformed(number))?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(KeyRingError::Repeated(number));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(KeyRingError::Empty)?;
        Ok(Self {
            current,
            older: keys.collect(),
        })
    }
}

impl Key {
    fn parse(line: &str) -> Option<Self> {
        let (id, digits) = line.split_once(char::is_whitespace)?;
        let digits = digits.trim().as_bytes();
        let mut bytes = Secret::new([0; 32]);
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.expose_mut().iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex(pair)?;
        }
        Some(Self {
            id: id.to_owned(),
            bytes,
        })
    }
}

fn hex(pair: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let [high, low] = pair else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

impl Value for KeyRing {
    const KIND: &'static str = "path of a key file";

    fn parse(text: &str) -> Result<Self, String> {
        Self::read(Path::new(text)).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<KeyRing, KeyRingError> {
        KeyRing::parse(&Secret::new(text.to_owned()))
    }

    #[test]
    fn the_first_key_is_the_current_one_and_older_ones_still_read() {
        let new = "ab".repeat(32);
        let old = "01".repeat(32);
        let ring = parse(&format!(
            "# rotated in May\n2026-05 {new}\n\n2026-04 {old} # still in use\n"
        ))
        .unwrap();
        assert_eq!(ring.current(), ("2026-05", &[0xab; 32]));
        assert_eq!(ring.get("2026-04"), Some(&[1; 32]));
        assert_eq!(ring.get("2026-03"), None);
    }

    #[test]
    fn a_key_file_is_refused_by_line_and_without_its_content() {
        let key = "ab".repeat(32);
        assert_eq!(parse("# nothing\n").unwrap_err(), KeyRingError::Empty);
        assert_eq!(parse("a 1234").unwrap_err(), KeyRingError::Malformed(1));
        assert_eq!(
            parse(&format!("a {}é", &key[..62])).unwrap_err(),
            KeyRingError::Malformed(1)
        );
        assert_eq!(
            parse(&format!("a {key}\na {key}")).unwrap_err(),
            KeyRingError::Repeated(2)
        );
        assert!(!parse("a canary").unwrap_err().to_string().contains("canary"));
    }

    #[test]
    fn keys_are_never_printed() {
        let ring = parse(&format!("a {}", "ab".repeat(32))).unwrap();
        assert!(!format!("{ring:?}").contains("171"));
    }
}
