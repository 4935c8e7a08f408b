//! Whether a POST comes from a page of the same host, as far as the browser tells.

use http::{HeaderMap, HeaderValue, header};

use super::Site;

/// Browsers since 2023 say in `Sec-Fetch-Site` where a request was started (W3C Fetch Metadata); older ones send
/// `Origin`. What contradicts the host, or hides its origin without `Sec-Fetch-Site`, is not ours. Both may be absent:
/// then the form's mark decides alone.
///
/// Under `Referrer-Policy: no-referrer`, which all pages carry, a current browser sends `Origin: null` with the
/// portal's own forms: there `Sec-Fetch-Site` alone tells ours from others.
pub fn is_ours(headers: &HeaderMap, site: &Site) -> bool {
    let started = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    let same_site = matches!(started, Some(b"same-origin" | b"none"));
    match (started, origin) {
        (Some(_), None | Some(b"null")) => same_site,
        (Some(_), Some(origin)) => same_site && names(origin, site),
        (None, Some(origin)) => names(origin, site),
        (None, None) => true,
    }
}

/// Plain HTTP counts only on this very machine.
fn names(origin: &[u8], site: &Site) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else {
        return false;
    };
    let (scheme, authority) = origin.split_once("://").unwrap_or_default();
    let port = match scheme {
        "https" => ":443",
        "http" if site.local => ":80",
        _ => return false,
    };
    let bare = |name: &str| name.strip_suffix(port).unwrap_or(name).to_ascii_lowercase();
    bare(authority) == bare(&site.authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(site: &str, local: bool, started: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(started) = started {
            headers.insert("sec-fetch-site", started.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        is_ours(
            &headers,
            &Site {
                authority: site.into(),
                local,
                ..Site::default()
            },
        )
    }

    #[test]
    fn a_form_of_this_host_is_ours() {
        let host = "portal.example";
        assert!(ours(
            host,
            false,
            Some("same-origin"),
            Some("https://portal.example")
        ));
        assert!(ours(host, false, Some("same-origin"), Some("null")));
        assert!(ours(host, false, Some("same-origin"), None));
        assert!(ours(host, false, None, Some("https://portal.example:443")));
        assert!(ours("localhost:8080", true, None, Some("http://localhost:8080")));
        assert!(ours(host, false, None, None));
    }

    #[test]
    fn a_form_of_another_host_is_not() {
        let host = "portal.example";
        for started in ["cross-site", "same-site", "", "Same-Origin"] {
            assert!(!ours(host, false, Some(started), None), "{started}");
            assert!(
                !ours(host, false, Some(started), Some("https://portal.example")),
                "{started}"
            );
        }
        for origin in [
            "https://evil.example",
            "http://portal.example",
            "https://portal.example:8443",
            "null",
            "",
            "x",
        ] {
            assert!(!ours(host, false, None, Some(origin)), "{origin}");
        }
        assert!(!ours(
            host,
            false,
            Some("same-origin"),
            Some("https://evil.example")
        ));
        assert!(!ours("localhost:8080", true, None, Some("http://localhost:9090")));
    }
}
