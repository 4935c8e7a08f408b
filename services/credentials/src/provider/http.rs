//! Requests to the provider. They block, so each has a thread; how many at a time is bounded, and none follows a redirect: it could
//! lead anywhere.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};
use sekisho_service::tls::Certificates;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::Unreachable;

/// Requests at a time.
const AT_ONCE: usize = 32;
/// The longest answer that is read, in bytes.
const LONGEST: u64 = 256 * 1_024;

/// Asks the provider. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Http {
    agent: Agent,
    turns: Arc<Semaphore>,
}

/// A request got no answer. Never tells what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the provider cannot be asked: {0}")]
pub(super) struct HttpError(#[source] ureq::Error);

impl Http {
    /// Waits so long for each answer, and believes the public authorities or those of our own. Where everything is encrypted nothing
    /// is ever asked for in the clear, whatever a provider says.
    pub fn new(patience: Duration, authority: Option<&Certificates>, is_encrypted: bool) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            .https_only(is_encrypted)
            .http_status_as_error(false)
            .max_redirects(0);
        let config = match authority {
            None => config,
            Some(authority) => {
                let certificates = authority.ders().map(|der| Certificate::from_der(&der).to_owned());
                let roots = RootCerts::from(certificates.collect::<Vec<_>>());
                config.tls_config(TlsConfig::builder().root_certs(roots).build())
            }
        };
        Self {
            agent: config.build().into(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Does something that asks, when it is its turn.
    ///
    /// # Errors
    /// [`Unreachable`] when it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Agent) -> T + Send + 'static,
    ) -> Result<T, Unreachable> {
        let turn = self
            .turns
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Unreachable)?;
        let agent = self.agent.clone();
        let asked = spawn_blocking(move || {
            let answer = ask(&agent);
            drop(turn);
            answer
        });
        asked.await.map_err(|_| Unreachable)
    }
}

/// One request, as `openidconnect` makes them.
pub(super) fn send(agent: &Agent, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let answer = if request.body().is_empty() {
        agent.run(request.map(|_| ()))
    } else {
        agent.run(request)
    };
    let (parts, mut body) = answer.map_err(HttpError)?.into_parts();
    let bytes = body.with_config().limit(LONGEST).read_to_vec();
    Ok(HttpResponse::from_parts(parts, bytes.map_err(HttpError)?))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn where_everything_is_encrypted_nothing_is_asked_for_in_the_clear() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}/jwks", listener.local_addr().unwrap());
        for is_encrypted in [true, false] {
            let http = Http::new(Duration::from_millis(200), None, is_encrypted);
            let request = openidconnect::http::Request::get(&address)
                .body(Vec::new())
                .unwrap();
            send(&http.agent, request).unwrap_err();
            assert_eq!(listener.accept().is_err(), is_encrypted, "{is_encrypted}");
        }
    }
}
