//! The system that people signed in to before.

use std::time::Duration;

use sekisho_service::settings::Reader;

use super::Mistaken;
use crate::former::TokenEndpoint;

/// The gateway waits for an answer two seconds, and the hash and two commits take their part.
pub(super) fn read(reader: &mut Reader) -> Result<Option<TokenEndpoint>, Mistaken> {
    const URL: &str = "FORMER_TOKEN_URL";
    const CLIENT: &str = "FORMER_CLIENT_ID";
    let url = reader.optional::<http::Uri>(
        URL,
        "the OAuth 2.0 token endpoint of the system that people signed in to before, which takes passwords; it is asked at the \
         first sign-in of accounts whose password stands there",
    );
    let client_id = reader.optional::<String>(CLIENT, "the client id there; goes with FORMER_TOKEN_URL");
    let scope = reader.or("FORMER_SCOPE", "openid", "the scope that is asked for there");
    let patience = reader.or::<Duration>(
        "FORMER_PATIENCE",
        "1500ms",
        "how long it may take to answer; 1500ms or less",
    );
    let (url, client_id) = (url.ok_or(Mistaken)?, client_id.ok_or(Mistaken)?);
    let (scope, patience) = (scope.ok_or(Mistaken)?, patience.ok_or(Mistaken)?);
    let is_safe = |url: &http::Uri| {
        url.scheme_str() == Some("https") || url.host().is_some_and(|host| host == "127.0.0.1")
    };
    let (name, problem) = match (url, client_id) {
        _ if patience > Duration::from_millis(1_500) => ("FORMER_PATIENCE", "is longer than 1500ms"),
        (None, None) => return Ok(None),
        (Some(url), Some(client_id)) if is_safe(&url) => {
            return Ok(Some(TokenEndpoint::new(url, client_id, scope, patience)));
        }
        (Some(_), Some(_)) => (
            URL,
            "is not https: passwords would cross the network in the clear",
        ),
        (Some(_), None) => (CLIENT, "is missing beside FORMER_TOKEN_URL"),
        (None, Some(_)) => (URL, "is missing beside FORMER_CLIENT_ID"),
    };
    reader.mistake(name, problem);
    Err(Mistaken)
}

#[cfg(test)]
mod tests {
    use sekisho_service::settings::{Settings, Source, load};

    use super::*;

    /// These settings alone.
    struct Former(Option<TokenEndpoint>);

    impl Settings for Former {
        fn read(reader: &mut Reader) -> Option<Self> {
            read(reader).ok().map(Self)
        }
    }

    fn former(variables: &[(&str, &str)]) -> Result<bool, Vec<String>> {
        let source: Source = variables.iter().copied().collect();
        match load::<Former>("", &source) {
            Ok(former) => Ok(former.0.is_some()),
            Err(mistakes) => Err(mistakes.iter().map(|mistake| mistake.name.clone()).collect()),
        }
    }

    #[test]
    fn passwords_go_to_the_former_system_encrypted_or_not_at_all() {
        let url = ("FORMER_TOKEN_URL", "https://example.com/token");
        let client = ("FORMER_CLIENT_ID", "sekisho");
        assert_eq!(former(&[]), Ok(false));
        assert_eq!(former(&[url, client]), Ok(true));
        assert_eq!(former(&[url]), Err(vec!["FORMER_CLIENT_ID".to_owned()]));
        assert_eq!(former(&[client]), Err(vec!["FORMER_TOKEN_URL".to_owned()]));
        let clear = ("FORMER_TOKEN_URL", "http://example.com/token");
        assert_eq!(former(&[clear, client]), Err(vec!["FORMER_TOKEN_URL".to_owned()]));
        let slow = ("FORMER_PATIENCE", "2s");
        assert_eq!(
            former(&[url, client, slow]),
            Err(vec!["FORMER_PATIENCE".to_owned()])
        );
    }
}
