//! What the top page shows to everybody, お知らせ and クイックアクセス, from a file that operators change while the gateway runs.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use time::Date;
use time::macros::format_description;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

/// Between two looks at the file.
const EVERY: Duration = Duration::from_secs(2);
/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1_024;
/// Announcements and links, each.
const MOST: usize = 50;
/// Characters of a text.
const LONGEST_TEXT: usize = 500;

/// What is on the board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Board {
    /// お知らせ, as the file orders them.
    pub announcements: Vec<Announcement>,
    /// クイックアクセス.
    pub quick_access: Vec<Link>,
}

/// An announcement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// Its day, `2026-04-01`.
    #[serde(deserialize_with = "day")]
    pub date: Date,
    /// Its words.
    pub text: String,
    /// Where there is more.
    #[serde(default)]
    pub url: Option<Address>,
}

/// A way into the rest of the portal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is called.
    pub text: String,
    /// Where it leads.
    pub url: Address,
}

/// `https://…`, or a path of this portal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

/// Why a file is no board.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is not what it should be; says where.
    #[error("{0}")]
    Malformed(#[from] toml::de::Error),
    /// There is too much of something.
    #[error(
        "longer than {LONGEST} bytes, more than {MOST} of a kind, or a text of more than {LONGEST_TEXT} characters"
    )]
    TooLong,
}

/// The board as it is now. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CurrentBoard(watch::Receiver<Arc<Board>>);

/// The file, and who wants to know of it.
#[derive(Debug)]
pub struct BoardFile {
    path: PathBuf,
    /// Its text, or why there was none, at the last look.
    seen: Option<Result<String, String>>,
    current: watch::Sender<Arc<Board>>,
}

impl CurrentBoard {
    /// A board that stays as it is.
    pub fn of(board: Board) -> Self {
        Self(watch::channel(Arc::new(board)).1)
    }

    /// The newest one.
    pub fn now(&self) -> Arc<Board> {
        self.0.borrow().clone()
    }
}

impl BoardFile {
    /// The board of a file, which is looked at from now on by [`Self::watch`].
    pub async fn new(path: PathBuf) -> (Self, CurrentBoard) {
        let (current, reader) = watch::channel(Arc::default());
        let mut file = Self {
            path,
            seen: None,
            current,
        };
        file.look().await;
        (file, CurrentBoard(reader))
    }

    /// Looks again and again, for ever. A file with a mistake changes nothing: what was on the board stays there.
    pub async fn watch(mut self) -> Infallible {
        let mut looks = interval(EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let seen = read(&self.path).await.map_err(|error| error.to_string());
        if self.seen.as_ref() == Some(&seen) {
            return;
        }
        let read = seen
            .clone()
            .and_then(|text| Board::parse(&text).map_err(|error| error.to_string()));
        match read {
            Ok(board) => {
                let (announcements, links) = (board.announcements.len(), board.quick_access.len());
                tracing::info!(announcements, links, "the board of the top page is read");
                self.current.send_replace(Arc::new(board));
            }
            Err(error) => tracing::error!(error, "the board of the top page stays as it was"),
        }
        self.seen = Some(seen);
    }
}

impl Board {
    /// Reads a board (TOML).
    ///
    /// # Errors
    /// [`BoardError::Malformed`], [`BoardError::TooLong`].
    pub fn parse(text: &str) -> Result<Self, BoardError> {
        let board: Self = toml::from_str(text)?;
        let mut texts = board
            .announcements
            .iter()
            .map(|announcement| &announcement.text)
            .chain(board.quick_access.iter().map(|link| &link.text));
        if board.announcements.len() > MOST
            || board.quick_access.len() > MOST
            || texts.any(|text| text.chars().count() > LONGEST_TEXT)
        {
            return Err(BoardError::TooLong);
        }
        Ok(board)
    }
}

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // Two slashes, or one of each kind, would name another host.
        let is_path = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
        let is_encrypted = Url::parse(&text).is_ok_and(|url| url.scheme() == "https");
        // Browsers leave some of these out, and what is left may be two slashes.
        let is_whole = !text.chars().any(|one| one.is_control() || one.is_whitespace());
        if is_whole && (is_path || is_encrypted) {
            Ok(Self(text))
        } else {
            Err("an address begins with https:// or with a single /")
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

async fn read(path: &Path) -> Result<String, BoardError> {
    let mut text = String::new();
    let file = File::open(path).await?;
    file.take(LONGEST + 1).read_to_string(&mut text).await?;
    if text.len() as u64 > LONGEST {
        return Err(BoardError::TooLong);
    }
    Ok(text)
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    let date = Date::parse(&text, format_description!("[year]-[month]-[day]"));
    date.map_err(|_| D::Error::custom("a date is written as \"2026-04-01\""))
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const BOARD: &str = r#"
        [[announcements]]
        date = "2026-04-01"
        text = "システムメンテナンスのお知らせ"
        url = "https://example.jp/"

        [[announcements]]
        date = "2026-03-02"
        text = "操作マニュアルを改訂しました。"

        [[quick_access]]
        text = "Webフォーム届出"
        url = "/forms"
    "#;

    #[test]
    fn a_board_has_notices_and_links_in_the_order_of_the_file() {
        let board = Board::parse(BOARD).unwrap();
        assert_eq!(board.announcements.len(), 2);
        assert_eq!(board.announcements[0].date, date!(2026 - 04 - 01));
        assert_eq!(board.announcements[1].url, None);
        assert_eq!(board.quick_access[0].url.to_string(), "/forms");
        assert_eq!(Board::parse("").unwrap(), Board::default());
    }

    #[test]
    fn nothing_else_is_a_board() {
        let link = |url: &str| format!("[[quick_access]]\ntext = \"x\"\nurl = '{url}'");
        for url in [
            "javascript:alert(1)",
            "http://example.jp/",
            "//evil.example",
            "/\\evil.example",
            "/\u{a0}x",
            "/ /evil.example",
            "",
        ] {
            assert!(Board::parse(&link(url)).is_err(), "{url}");
        }
        for text in [
            "[[announcement]]\ntext = 'x'",
            "[[announcements]]\ntext = 'x'",
            "[[announcements]]\ndate = 'today'\ntext = 'x'",
        ] {
            assert!(Board::parse(text).is_err(), "{text}");
        }
        let long = format!(
            "[[announcements]]\ndate = '2026-04-01'\ntext = '{}'",
            "長".repeat(501)
        );
        assert!(matches!(Board::parse(&long), Err(BoardError::TooLong)));
        let many = "[[announcements]]\ndate = '2026-04-01'\ntext = 'x'\n".repeat(51);
        assert!(matches!(Board::parse(&many), Err(BoardError::TooLong)));
    }

    #[tokio::test]
    async fn a_file_with_a_mistake_leaves_the_board_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.toml");
        let (mut file, current) = BoardFile::new(path.clone()).await;
        assert_eq!(*current.now(), Board::default());
        std::fs::write(&path, BOARD).unwrap();
        file.look().await;
        assert_eq!(current.now().announcements.len(), 2);
        for broken in ["[[announcements]]", &"#".repeat(70_000)] {
            std::fs::write(&path, broken).unwrap();
            file.look().await;
            assert_eq!(current.now().announcements.len(), 2);
        }
        std::fs::remove_file(&path).unwrap();
        file.look().await;
        assert_eq!(current.now().announcements.len(), 2);
        std::fs::write(&path, "").unwrap();
        file.look().await;
        assert_eq!(*current.now(), Board::default());
    }
}
