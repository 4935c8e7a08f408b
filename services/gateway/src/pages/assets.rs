//! `/assets`: the stylesheet, the script and the icon, part of the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, header};
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
pub async fn show(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "icon.svg" => file("image/svg+xml", A_DAY, ICON),
        "goodbye.svg" => (
            [(CLEAR_SITE_DATA, "\"cache\"")],
            file("image/svg+xml", "no-store", ICON),
        )
            .into_response(),
        name if name == *STYLE_NAME => file("text/css; charset=utf-8", FOR_EVER, STYLE),
        name if name == *SCRIPT_NAME => file("text/javascript; charset=utf-8", FOR_EVER, SCRIPT),
        name if name.starts_with("script-") => file("text/javascript; charset=utf-8", "no-store", SCRIPT),
        name if name.starts_with("style-") => file("text/css; charset=utf-8", "no-store", STYLE),
        _ => Refusal::NotFound.into_response(),
    }
}

fn file(media_type: &'static str, keep: &'static str, content: &'static str) -> Response {
    (
        [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, keep)],
        content,
    )
        .into_response()
}
