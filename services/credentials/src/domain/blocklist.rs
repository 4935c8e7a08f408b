//! What guessers try first may not become a password (NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 6.2.4, 6.2.11, 6.2.12).

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use zxcvbn::{Score, zxcvbn};

/// Passwords of 15 and more characters that many people use. Shorter ones are in the dictionaries of zxcvbn.
const LEAKED: &str = include_str!("../../data/leaked-passwords.txt");

/// Guesses after which an attacker who works like zxcvbn finds the password: 10¹⁰ are its best class.
const ENOUGH: Score = Score::Four;

/// The shortest word that is looked for inside a password, in bytes: four letters, or two characters of Japanese. A shorter
/// one would stand in too many passwords by chance.
const SHORTEST_WORD: usize = 4;

static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = LEAKED.lines().filter(|line| !line.starts_with('#'));
    lines.collect()
});

/// What may not be the password of one account.
#[derive(Clone, PartialEq, Eq)]
pub struct Blocklist {
    words: Vec<String>,
}

/// Why a password is easily guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Many people use it, or it is made of common words, repetitions and rows of keys.
    Common,
    /// It holds a word that belongs to the account.
    Contextual,
}

impl Blocklist {
    /// A blocklist with the words that belong to an account: its login id, names of the person, the facility and the system.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let folded = words.into_iter().map(folded);
        Self {
            words: folded.filter(|word| word.len() >= SHORTEST_WORD).collect(),
        }
    }

    /// Why a password in NFC is easily guessed; `None` if it is not.
    pub fn weakness(&self, password: &str) -> Option<Weakness> {
        if self.holds_a_word(password) {
            Some(Weakness::Contextual)
        } else if is_common(password) {
            Some(Weakness::Common)
        } else {
            None
        }
    }

    /// Forwards or backwards, whatever the width and the case of its letters, and what stands between them.
    fn holds_a_word(&self, password: &str) -> bool {
        let forwards = folded(password);
        let backwards: String = forwards.chars().rev().collect();
        let mut words = self.words.iter();
        words.any(|word| forwards.contains(word) || backwards.contains(word))
    }
}

impl std::fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

fn is_common(password: &str) -> bool {
    COMMON.contains(password.to_lowercase().as_str()) || zxcvbn(password, &[]).score() < ENOUGH
}

/// Letters and digits alone, with one spelling for those that people put in each other's place.
fn folded(text: &str) -> String {
    let lower = text.nfkc().flat_map(char::to_lowercase);
    let alike = lower.map(|c| match c {
        '0' => 'o',
        '1' | '!' | 'i' | '|' => 'l',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    });
    alike.filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocklist() -> Blocklist {
        Blocklist::new([
            "04500001",
            "架空がんセンター病院",
            "青森 花子",
            "gtol",
            "gantoroku",
            "国立がん研究センター",
            "",
            "nz",
        ])
    }

    #[test]
    fn every_leaked_password_of_the_list_is_common() {
        assert!(COMMON.len() >= 500);
        let shortest = COMMON.iter().map(|leaked| leaked.chars().count()).min();
        assert_eq!(shortest, Some(15));
        for leaked in COMMON.iter() {
            assert_eq!(blocklist().weakness(leaked), Some(Weakness::Common), "{leaked}");
            let loud = leaked.to_uppercase();
            assert_eq!(blocklist().weakness(&loud), Some(Weakness::Common), "{loud}");
        }
    }

    #[test]
    fn the_match_is_of_the_whole_password() {
        let leaked = "interdependence";
        assert_eq!(blocklist().weakness(leaked), Some(Weakness::Common));
        assert_eq!(blocklist().weakness("interdependence of 7 grey herons"), None);
    }

    #[test]
    fn rows_repetitions_and_common_words_are_common() {
        for password in [
            "aaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "qwertyuiopasdfghjkl",
            "1qaz2wsx3edc4rfv5tgb",
            "passwordpassword",
            "Passw0rd!Passw0rd!",
            "123456789012345678",
            "monkeymonkeymonkey",
            "20260101202601012026",
        ] {
            assert_eq!(
                blocklist().weakness(password),
                Some(Weakness::Common),
                "{password}"
            );
        }
    }

    #[test]
    fn no_class_of_characters_is_asked_for() {
        for password in [
            "kvtqzmwphxrbdyc",
            "correct horse battery staple",
            "朝露に濡れた庭で猫が三匹あくびする",
            "うみのむこうのしまへいく",
            "🦊🐢🍵🎋🪁🦉🌾🐚🧭🪵🎏🐝🍂🌙🛶",
            "                 x  y  z  q  w         ",
        ] {
            assert_eq!(blocklist().weakness(password), None, "{password}");
        }
    }

    /// C-6: what people make of the words that stand on their screens.
    #[test]
    fn what_is_made_of_words_of_the_account_is_contextual() {
        let words = [
            "04500001",
            "０４５００００１",
            "o45ooool",
            "10000540",
            "gtol",
            "GTOL",
            "Gt0l",
            "ｇｔｏｌ",
            "g-t-o-l",
            "l o t g",
            "gantoroku",
            "GanToroku",
            "g@nt0r0ku",
            "ukorotnag",
            "国立がん研究センター",
            "国立 がん 研究 センター",
            "国立がん研究ｾﾝﾀｰ",
            "架空がんセンター病院",
            "架空・がんセンター・病院",
            "青森花子",
            "青森　花子",
            "G.T.O.L.",
            "ＧＡＮＴＯＲＯＫＵ",
            "g4nt0r0ku",
            "G7OL",
        ];
        let derived = words
            .into_iter()
            .flat_map(|word| [format!("{word}7kvqzmwphxrbdyc"), format!("Xq9 {word} vtmz-hrwk")]);
        let derived: Vec<_> = derived.collect();
        assert_eq!(derived.len(), 50);
        for password in derived {
            assert_eq!(
                blocklist().weakness(&password),
                Some(Weakness::Contextual),
                "{password}"
            );
        }
    }

    #[test]
    fn words_of_the_account_are_never_printed() {
        assert_eq!(format!("{:?}", blocklist()), "[redacted]");
    }
}
