//! 32 bytes that only a cookie holds: the flow's secret, the session's token, the secret behind the sign-in form.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use sekisho_service::{entropy, mac};

/// 32 secret bytes. In a cookie they stand as base64; `Debug` shows nothing.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A secret that nobody has seen.
    pub fn fresh() -> Self {
        Self(entropy::bytes())
    }

    /// A secret that a service made; `None` unless it is 32 bytes long.
    pub fn from_service(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Another secret, of what a form holds: the same form gives the same one, and nobody else can tell it.
    #[must_use]
    pub fn of_form(&self, label: &str, held: &[&str]) -> Self {
        let parts: Vec<&[u8]> = held.iter().map(|part| part.as_bytes()).collect();
        Self(mac::derive(&self.0, label, &parts))
    }

    /// A name that tells it from others and from which nobody finds it.
    pub fn public_name(&self) -> String {
        let [a, b, c, d, ..] = mac::derive(&self.0, "sekisho/public-name/1", &[]);
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }

    /// The bytes, for the service that asks for them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of the secret, which may be stored.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| D::Error::custom("not base64"))?;
        Self::from_service(&bytes).ok_or_else(|| D::Error::custom("not 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_a_secret() {
        assert_eq!(format!("{:?}", Secret::fresh()), "[redacted]");
    }

    #[test]
    fn a_secret_survives_the_cookie() {
        let secret = Secret::fresh();
        let text = serde_json::to_string(&secret).unwrap();
        assert_eq!(
            serde_json::from_str::<Secret>(&text).unwrap().expose(),
            secret.expose()
        );
    }

    #[test]
    fn a_secret_of_another_length_is_refused() {
        assert!(serde_json::from_str::<Secret>("\"c2hvcnQ\"").is_err());
    }
}
