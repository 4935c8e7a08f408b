//! Reads a posted form, strictly: what is not exactly the form that the page shows is not guessed at.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};

use crate::Gateway;
use crate::edge::{Site, origin};
use crate::refusal::Refusal;

/// The longest form, in bytes.
pub const LONGEST: usize = 16 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// A form that came from a page of this host, as far as the browser's headers tell. It never prints itself.
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// The values of exactly these fields, in this order.
    ///
    /// # Errors
    /// [`Refusal::Unreadable`] when a field is missing, repeated or unknown.
    pub fn take<const N: usize>(mut self, names: [&str; N]) -> Result<[String; N], Refusal> {
        if self.fields.len() != N {
            return Err(Refusal::Unreadable);
        }
        let mut values = [const { String::new() }; N];
        for (value, name) in values.iter_mut().zip(names) {
            let found = self.fields.iter().position(|(field, _)| field == name);
            *value = self.fields.swap_remove(found.ok_or(Refusal::Unreadable)?).1;
        }
        Ok(values)
    }
}

impl FromRequest<Arc<Gateway>> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &Arc<Gateway>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let site = Site::of(&parts);
        if !is_form(&parts.headers) {
            return Err(Refusal::MediaType);
        }
        let body = receive(&parts.headers, body).await?;
        if !origin::is_ours(&parts.headers, &site) {
            return Err(Refusal::Forged);
        }
        let fields = parse(&body).ok_or(Refusal::Unreadable)?;
        Ok(Self { fields })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let is_form = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case(MEDIA_TYPE));
    is_form && parts.all(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"))
}

async fn receive(headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > LONGEST) {
        return Err(Refusal::TooLarge);
    }
    match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, LONGEST)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // Whatever else breaks a body off also ends the connection: nobody reads that answer.
        Ok(Err(_)) => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::TooSlow),
    }
}

/// The fields of an `application/x-www-form-urlencoded` body (WHATWG URL 5.1), or `None` if a name or value is no
/// UTF-8, has a broken escape, or holds a control character.
fn parse(body: &[u8]) -> Option<Vec<(String, String)>> {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(parse_pair).collect()
}

fn parse_pair(pair: &[u8]) -> Option<(String, String)> {
    let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
    let value = pair.get(end + 1..).unwrap_or_default();
    Some((decode(&pair[..end])?, decode(value)?))
}

fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => 16 * digit(*rest.next()?)? + digit(*rest.next()?)?,
            other => *other,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> Option<Form> {
        parse(body.as_bytes()).map(|fields| Form { fields })
    }

    #[test]
    fn a_form_is_read_in_the_order_asked_for() {
        let form = form("password=a+b%E3%81%82%2B&user_id=04500001").unwrap();
        assert_eq!(
            form.take(["user_id", "password"]).unwrap(),
            ["04500001", "a bあ+"]
        );
    }

    #[test]
    fn repeated_unknown_and_missing_fields_are_refused() {
        for body in ["a=1&a=2", "a=1&b=2&c=3", "a=1", "a=1&c=2", "", "a=1&b=2&b=3"] {
            assert_eq!(
                form(body).unwrap().take(["a", "b"]),
                Err(Refusal::Unreadable),
                "{body}"
            );
        }
    }

    #[test]
    fn broken_escapes_foreign_encodings_and_control_characters_are_refused() {
        for body in [
            "a=%",
            "a=%4",
            "a=%zz",
            "a=%+1",
            "a=%FF",
            "a=%ED%A0%80",
            "a=%00",
            "a=%0A",
            "%1B=1",
            "a=%C2%85",
            "a=%7F",
        ] {
            assert!(form(body).is_none(), "{body}");
        }
    }

    #[test]
    fn an_empty_value_is_a_value() {
        assert_eq!(form("a=&b").unwrap().take(["a", "b"]).unwrap(), ["", ""]);
    }

    #[test]
    fn only_forms_in_utf_8_are_forms() {
        let is = |value: &'static str| {
            is_form(&HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                value.parse().unwrap(),
            )]))
        };
        assert!(is("application/x-www-form-urlencoded"));
        assert!(is("Application/X-WWW-Form-URLEncoded; charset=UTF-8"));
        assert!(!is("application/x-www-form-urlencoded; charset=shift_jis"));
        assert!(!is("multipart/form-data; boundary=x"));
        assert!(!is("text/plain"));
        assert!(!is_form(&HeaderMap::new()));
    }
}
