//! How a letter's characters are written.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use encoding_rs::ISO_2022_JP;
use lettre::message::Body;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use sekisho_service::settings::Value;

use crate::message::LetterError;

/// How a letter's characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// RFC 3629.
    #[default]
    Utf8,
    /// RFC 1468: for relays and readers in Japan that know nothing newer.
    Iso2022Jp,
}

/// Bytes of an encoded word's text before base64, so that the word has at most 75 characters (RFC 2047, 2).
const WORD: usize = 42;

impl Value for Charset {
    const KIND: &'static str = "`utf-8` or `iso-2022-jp`";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "utf-8" => Ok(Self::Utf8),
            "iso-2022-jp" => Ok(Self::Iso2022Jp),
            _ => Err("is neither `utf-8` nor `iso-2022-jp`".to_owned()),
        }
    }
}

impl Charset {
    /// As MIME names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Iso2022Jp => "iso-2022-jp",
        }
    }

    /// The `Content-Type` of a text of this kind, such as `plain`.
    pub(crate) fn content_type(self, kind: &str) -> Result<ContentType, LetterError> {
        let text = format!("text/{kind}; charset={}", self.name());
        ContentType::parse(&text).map_err(|_| LetterError::Message)
    }

    /// A text as the body of a part.
    pub(crate) fn body(self, text: String) -> Result<Body, LetterError> {
        match self {
            Self::Utf8 => Ok(Body::new(text)),
            // Seven bits by itself: nothing on the way has to understand anything.
            // lettre would wrap lines of more than 76 bytes; SMTP takes 998 (RFC 5321, 4.5.3.1.6), and none of ours is as long.
            Self::Iso2022Jp => {
                let bytes = encoded(&text.replace('\n', "\r\n"))?;
                Ok(Body::dangerous_pre_encoded(
                    bytes,
                    ContentTransferEncoding::SevenBit,
                ))
            }
        }
    }

    /// `Subject`, by RFC 2047.
    pub(crate) fn subject(self, subject: &str) -> Result<HeaderValue, LetterError> {
        let name = HeaderName::new_from_ascii_str("Subject");
        match self {
            Self::Utf8 => Ok(HeaderValue::new(name, subject.to_owned())),
            Self::Iso2022Jp => {
                let words: Vec<String> = words(subject)?;
                Ok(HeaderValue::dangerous_new_pre_encoded(
                    name,
                    subject.to_owned(),
                    words.join("\r\n "),
                ))
            }
        }
    }
}

fn encoded(text: &str) -> Result<Vec<u8>, LetterError> {
    let (bytes, _, has_unmappable) = ISO_2022_JP.encode(text);
    if has_unmappable {
        return Err(LetterError::Charset);
    }
    Ok(bytes.into_owned())
}

/// Encoded words, each of which begins and ends in ASCII, as RFC 1468 wants of every line.
fn words(text: &str) -> Result<Vec<String>, LetterError> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len();
        let mut bytes = encoded(rest)?;
        while bytes.len() > WORD {
            end = rest[..end]
                .char_indices()
                .next_back()
                .map_or(0, |(start, _)| start);
            bytes = encoded(&rest[..end])?;
        }
        words.push(format!("=?ISO-2022-JP?B?{}?=", BASE64_STANDARD.encode(bytes)));
        rest = &rest[end..];
    }
    Ok(words)
}
