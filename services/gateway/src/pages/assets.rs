//! `/assets`: the stylesheet and the icon, part of the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, header};
use sha2::{Digest, Sha256};

use crate::refusal::Refusal;

const STYLE: &str = include_str!("../../assets/style.css");
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

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(STYLE);
    format!(
        "style-{:02x}{:02x}{:02x}{:02x}.css",
        digest[0], digest[1], digest[2], digest[3]
    )
});
static STYLE_ADDRESS: LazyLock<String> = LazyLock::new(|| format!("/assets/{}", *STYLE_NAME));

/// Where the stylesheet of this build lies.
pub fn style_address() -> &'static str {
    &STYLE_ADDRESS
}

/// GET: a file. While two builds run side by side, a page of one may ask the other for its stylesheet: it gets the
/// one that is here, for this once.
pub async fn show(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "icon.svg" => file("image/svg+xml", A_DAY, ICON),
        "goodbye.svg" => (
            [(CLEAR_SITE_DATA, "\"cache\"")],
            file("image/svg+xml", "no-store", ICON),
        )
            .into_response(),
        name if name == *STYLE_NAME => file("text/css; charset=utf-8", FOR_EVER, STYLE),
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
