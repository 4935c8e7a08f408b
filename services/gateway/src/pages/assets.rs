//! `/assets`: the stylesheet, the script and the icon, part of the program.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, header};
use sha2::{Digest, Sha256};

use crate::refusal::Refusal;

const STYLE: &str = include_str!("../../assets/style.css");
const SCRIPT: &str = include_str!("../../assets/script.js");
const ICON: &str = include_str!("../../assets/icon.svg");
/// W3C Clear Site Data.
pub const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// A year: the address changes with the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A day: icons keep their address.
const A_DAY: &str = "public, max-age=86400";

/// Where the icon lies.
pub const ICON_ADDRESS: &str = "/assets/icon.svg";
/// The same picture, whose answer has the browser clear what it keeps of the portal. It is the picture of
/// サインアウト完了: only what loads after the page before has left the screen clears that page from the browser's
/// back-forward cache, where it would else show its names again.
pub const CLEARING_ICON_ADDRESS: &str = "/assets/goodbye.svg";

/// A file of text, as it is and packed. Only what is the same for everybody is packed: the length of a packed page would tell
/// of the secrets in it.
struct Text {
    media_type: &'static str,
    plain: &'static str,
    packed: Vec<u8>,
}

static STYLE_TEXT: LazyLock<Text> = LazyLock::new(|| Text::new("text/css; charset=utf-8", STYLE));
static SCRIPT_TEXT: LazyLock<Text> = LazyLock::new(|| Text::new("text/javascript; charset=utf-8", SCRIPT));
static STYLE_NAME: LazyLock<String> = LazyLock::new(|| named("style", STYLE, "css"));
static STYLE_ADDRESS: LazyLock<String> = LazyLock::new(|| format!("/assets/{}", *STYLE_NAME));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| named("script", SCRIPT, "js"));
static SCRIPT_ADDRESS: LazyLock<String> = LazyLock::new(|| format!("/assets/{}", *SCRIPT_NAME));

/// The name of a file, which changes with its content.
fn named(name: &str, content: &str, extension: &str) -> String {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(content));
    format!("{name}-{a:02x}{b:02x}{c:02x}{d:02x}.{extension}")
}

/// Where the stylesheet of this build lies.
pub fn style_address() -> &'static str {
    &STYLE_ADDRESS
}

/// Where the script of this build lies.
pub fn script_address() -> &'static str {
    &SCRIPT_ADDRESS
}

/// GET: a file. While two builds run side by side, a page of one may ask the other for its stylesheet or script: it
/// gets the one that is here, for this once.
pub async fn show(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match name.as_str() {
        "icon.svg" => icon(A_DAY),
        "goodbye.svg" => ([(CLEAR_SITE_DATA, "\"cache\"")], icon("no-store")).into_response(),
        name if name == *STYLE_NAME => STYLE_TEXT.answer(FOR_EVER, &headers),
        name if name == *SCRIPT_NAME => SCRIPT_TEXT.answer(FOR_EVER, &headers),
        name if name.starts_with("script-") => SCRIPT_TEXT.answer("no-store", &headers),
        name if name.starts_with("style-") => STYLE_TEXT.answer("no-store", &headers),
        _ => Refusal::NotFound.into_response(),
    }
}

fn icon(keep: &'static str) -> Response {
    let about = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, keep),
    ];
    (about, ICON).into_response()
}

impl Text {
    fn new(media_type: &'static str, plain: &'static str) -> Self {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory does not fail; without it the file goes out as it is.
        let written = packed.write_all(plain.as_bytes()).and_then(|()| packed.finish());
        Self {
            media_type,
            plain,
            packed: written.unwrap_or_default(),
        }
    }

    fn answer(&'static self, keep: &'static str, headers: &HeaderMap) -> Response {
        let about = [
            (header::CONTENT_TYPE, self.media_type),
            (header::CACHE_CONTROL, keep),
            (header::VARY, "accept-encoding"),
        ];
        if takes_gzip(headers) && !self.packed.is_empty() {
            let packed = [(header::CONTENT_ENCODING, "gzip")];
            (about, packed, self.packed.as_slice()).into_response()
        } else {
            (about, self.plain).into_response()
        }
    }
}

/// RFC 9110, 12.5.3; whoever gives gzip any weight but none gets it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        is_gzip && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_whoever_takes_it() {
        for (said, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.1", true),
            ("gzip;q=0", false),
            ("gzip;q=x", false),
            ("br", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, said.parse().unwrap())]);
            assert_eq!(takes_gzip(&headers), expected, "{said}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
