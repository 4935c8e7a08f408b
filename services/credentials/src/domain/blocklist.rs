//! What guessers try first may not become a password (NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 6.2.4, 6.2.11, 6.2.12).

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use zxcvbn::zxcvbn;

/// Passwords of 15 and more characters that many people use. Shorter ones are in the dictionaries of zxcvbn.
const LEAKED: &str = include_str!("../../data/leaked-passwords.txt");

/// Guesses after which an attacker who works like zxcvbn may find a password: 10 to this power, zxcvbn's best class. A shorter
/// password than ten characters, where one may be agreed on, never has so many.
const ENOUGH: u32 = 10;

/// Characters that are estimated at a time: the work grows with the square, and with every letter that may be a digit.
const ESTIMATED: usize = 32;

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
    enough: u64,
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
    /// A blocklist with the words that belong to an account: its login id, names of the person, the facility and the system,
    /// each as a whole and in the parts that spaces divide. `shortest` is the length of the shortest password that may be set.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>, shortest: usize) -> Self {
        let parts = words
            .into_iter()
            .flat_map(|word| std::iter::once(word).chain(word.split_whitespace()));
        let power = u32::try_from(shortest.saturating_sub(1)).unwrap_or(ENOUGH);
        Self {
            words: parts
                .map(folded)
                .filter(|word| word.len() >= SHORTEST_WORD)
                .collect(),
            enough: 10_u64.pow(power.min(ENOUGH)),
        }
    }

    /// Why a password in NFC is easily guessed; `None` if it is not.
    pub fn weakness(&self, password: &str) -> Option<Weakness> {
        if self.holds_a_word(password) {
            Some(Weakness::Contextual)
        } else if self.is_common(password) {
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

    /// The beginning or the end of a long password is enough.
    fn is_common(&self, password: &str) -> bool {
        let plain: Vec<char> = password.nfkc().flat_map(char::to_lowercase).collect();
        if COMMON.contains(plain.iter().collect::<String>().as_str()) {
            return true;
        }
        // As typed: capital letters are worth something.
        let typed: Vec<char> = password.nfkc().collect();
        let ends = [
            &typed[..typed.len().min(ESTIMATED)],
            &typed[typed.len().saturating_sub(ESTIMATED)..],
        ];
        let is_weak = |part: &[char]| zxcvbn(&part.iter().collect::<String>(), &[]).guesses() < self.enough;
        is_weak(ends[0]) && (typed.len() <= ESTIMATED || is_weak(ends[1]))
    }
}

impl std::fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
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
        let words = [
            "04500001",
            "架空がんセンター病院",
            "青森 花子",
            "gtol",
            "gantoroku",
            "国立がん研究センター",
            "",
            "nz",
        ];
        Blocklist::new(words, 15)
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

    /// Not from the list: what anybody would look for in it.
    #[test]
    fn what_everybody_knows_to_be_leaked_is_common() {
        for leaked in [
            "1q2w3e4r5t6y7u8i",
            "123456789012345",
            "qwertyuiopasdfgh",
            "1qaz2wsx3edc4rfv",
            "passwordpassword",
            "iloveyouiloveyou",
            "letmeinletmein123",
            "administrator123",
            "qazwsxedcrfvtgby",
            "abcdefghijklmnop",
            "thequickbrownfox",
            "correcthorsebatterystaple",
        ] {
            assert_eq!(blocklist().weakness(leaked), Some(Weakness::Common), "{leaked}");
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
            "ｉｎｔｅｒｄｅｐｅｎｄｅｎｃｅ",
            "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ",
        ] {
            assert_eq!(
                blocklist().weakness(password),
                Some(Weakness::Common),
                "{password}"
            );
        }
    }

    /// What is at the beginning of a very long one or at its end is enough, and no more is computed.
    #[test]
    fn a_long_password_is_as_good_as_its_better_end() {
        let weak = "a".repeat(64);
        let strong = "kvtqzmwphxrbdyc kvtzqmwhpxbrdcy";
        assert_eq!(blocklist().weakness(&weak), Some(Weakness::Common));
        assert_eq!(blocklist().weakness(&format!("{weak}{strong}")), None);
        assert_eq!(blocklist().weakness(&format!("{strong}{weak}")), None);
    }

    #[test]
    fn where_eight_characters_may_do_eight_random_ones_do() {
        let short = Blocklist::new([], 8);
        assert_eq!(short.weakness("kvtqzmwp"), None);
        assert_eq!(short.weakness("password"), Some(Weakness::Common));
        assert_eq!(
            Blocklist::new([], 15).weakness("kvtqzmwp"),
            Some(Weakness::Common)
        );
    }

    #[test]
    fn half_a_name_is_a_word_too() {
        for password in ["kvtqz花子mwphxrbdyc", "kvtqz青森mwphxrbdyc"] {
            assert_eq!(
                blocklist().weakness(password),
                Some(Weakness::Contextual),
                "{password}"
            );
        }
    }

    #[test]
    fn no_class_of_characters_is_asked_for() {
        for password in [
            "kvtqzmwphxrbdyc",
            "violet teapot under seventeen bicycles",
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
