//! HTTP for the process that serves browsers, with the same life cycle as the gRPC servers.

use crate::listen::{BindError, Bound};
use crate::process::Process;
use crate::tls::BrowserTls;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::routing::get;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long a new connection may take for its first request head. Whoever opens one has something to ask.
const FIRST: Duration = Duration::from_secs(10);

/// How long a connection may stay without another complete request head. Longer than the 60 s for which ingress
/// controllers keep idle connections, so that it is they who close them and no request meets a closing one.
const HEADERS: Duration = Duration::from_secs(75);

/// Connections that are open at the same time, at most; more wait in the kernel's queue. A whole installation's browsers
/// come over the few hundred connections of its ingress; this many idle ones take some 100 MB.
const CONNECTIONS: usize = 8_192;

/// A bound HTTP listener.
#[derive(Debug)]
pub struct Web {
    socket: Bound,
    connections: usize,
    tls: Option<BrowserTls>,
}

impl Web {
    /// Binds an address; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address is taken or not ours.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let socket = Bound::new(address)?;
        Ok(Self {
            socket,
            connections: CONNECTIONS,
            tls: None,
        })
    }

    /// Speaks TLS with browsers, if there is a certificate to show.
    #[must_use]
    pub fn encrypted(self, tls: Option<BrowserTls>) -> Self {
        Self { tls, ..self }
    }

    /// The bound address.
    pub fn local_address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Serves HTTP/1.1 until the process drains and every running request has been answered. Handlers find the address
    /// of the other end as `axum::extract::ConnectInfo<SocketAddr>`.
    ///
    /// # Errors
    ///
    /// If the listener cannot be used.
    pub async fn serve(self, router: Router, process: &Process) -> Result<(), BindError> {
        tracing::info!(address = %self.local_address(), "serving HTTP");
        let listener = self.socket.listen()?;
        process.serving();
        let connections = GracefulShutdown::new();
        let shutdown = process.shutdown();
        let room = Arc::new(Semaphore::new(self.connections));
        let accept = async {
            // Never closed, so there is always a place some time.
            while let Ok(place) = Arc::clone(&room).acquire_owned().await {
                let (stream, peer) = listener.accept().await;
                let connection = Connection {
                    stream,
                    peer,
                    tls: self.tls.clone(),
                    draining: shutdown.clone(),
                    place,
                };
                connection.spawn(router.clone(), connections.watcher());
            }
        };
        tokio::select! {
            () = accept => {}
            () = shutdown.cancelled() => {}
        }
        // Closed before the drain, so that new connections are refused and not left hanging.
        drop(listener);
        connections.shutdown().await;
        Ok(())
    }
}

/// One connection, which gives its place back at its end.
struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<BrowserTls>,
    draining: CancellationToken,
    place: OwnedSemaphorePermit,
}

impl Connection {
    /// Answers its requests.
    fn spawn(self, router: Router, watcher: Watcher) {
        let Self {
            stream,
            peer,
            tls,
            draining,
            place,
        } = self;
        let asked = Arc::new(Notify::new());
        let asks = Arc::clone(&asked);
        let service = router.map_request(move |request: http::Request<Incoming>| {
            asks.notify_one();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let answer = async move {
            let stream = match tls {
                // Who has asked for nothing yet holds up no drain.
                Some(tls) => match draining.run_until_cancelled(tls.accept(stream)).await {
                    Some(stream) => Either::Left(stream?),
                    None => return Ok(()),
                },
                None => Either::Right(stream),
            };
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
            watcher.watch(connection).await.map_err(std::io::Error::other)
        };
        let silent = async move {
            if timeout(FIRST, asked.notified()).await.is_ok() {
                std::future::pending::<()>().await;
            }
        };
        tokio::spawn(async move {
            tokio::select! {
                ended = answer => {
                    if let Err(error) = ended {
                        tracing::debug!(error = crate::chain(&error), "a connection ended early");
                    }
                }
                () = silent => tracing::debug!("a connection asked for nothing"),
            }
            drop(place);
        });
    }
}

/// `/live`: 200 as long as the process answers at all. `/ready`: 200 once every latch is released and until the drain,
/// else 503.
pub fn health(process: &Process) -> Router {
    Router::new()
        .route("/live", get(async || "live"))
        .route("/ready", get(ready))
        .with_state(process.clone())
}

async fn ready(State(process): State<Process>) -> (StatusCode, &'static str) {
    if process.readiness().is_ready() && !process.shutdown().is_cancelled() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Mistakes, Reader, Settings, load};
    use std::path::Path;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn get(address: SocketAddr, path: &'static str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn start(
        process: &Process,
        router: Router,
    ) -> (SocketAddr, tokio::task::JoinHandle<Result<(), BindError>>) {
        start_with(CONNECTIONS, process, router)
    }

    fn start_with(
        connections: usize,
        process: &Process,
        router: Router,
    ) -> (SocketAddr, tokio::task::JoinHandle<Result<(), BindError>>) {
        let web = Web {
            connections,
            ..Web::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
        };
        let address = web.local_address();
        let process = process.clone();
        let task = tokio::spawn(async move { web.serve(router, &process).await });
        (address, task)
    }

    #[tokio::test]
    async fn ready_answers_503_until_the_latch_is_released() {
        let process = Process::new(Duration::from_secs(5));
        let latch = process.latch("test");
        let (address, _) = start(&process, health(&process));
        assert!(get(address, "/live").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/ready").await.starts_with("HTTP/1.1 503"));
        latch.release();
        assert!(get(address, "/ready").await.starts_with("HTTP/1.1 200"));
    }

    /// On the administration listener, which outlives the drain of the other.
    #[tokio::test]
    async fn who_drains_is_not_ready() {
        let process = Process::new(Duration::from_secs(5));
        let (address, _) = start(&Process::new(Duration::from_secs(5)), health(&process));
        assert!(get(address, "/ready").await.starts_with("HTTP/1.1 200"));
        process.request_shutdown();
        assert!(get(address, "/ready").await.starts_with("HTTP/1.1 503"));
        assert!(get(address, "/live").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn a_drain_answers_the_running_request_and_takes_no_new_connection() {
        let process = Process::new(Duration::from_secs(5));
        let (started, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (start_of_it, end_of_it) = (Arc::clone(&started), Arc::clone(&release));
        let slow = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>| {
            start_of_it.notify_one();
            end_of_it.notified().await;
            peer.ip().to_string()
        };
        let (address, task) = start(&process, Router::new().route("/slow", axum::routing::get(slow)));
        let running = tokio::spawn(get(address, "/slow"));
        started.notified().await;
        process.request_shutdown();
        let closed = async {
            while TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), closed)
            .await
            .unwrap();
        assert!(!task.is_finished());
        release.notify_one();
        assert!(running.await.unwrap().ends_with("127.0.0.1"));
        task.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_until_another_ends() {
        let process = Process::new(Duration::from_secs(5));
        let (address, _) = start_with(1, &process, health(&process));
        let first = TcpStream::connect(address).await.unwrap();
        let mut second = tokio::spawn(get(address, "/live"));
        let early = tokio::time::timeout(Duration::from_millis(300), &mut second).await;
        assert!(early.is_err(), "answered beside the first");
        drop(first);
        assert!(second.await.unwrap().starts_with("HTTP/1.1 200"));
    }

    /// What is sent, and after which time the connection is closed.
    async fn closed_after(sent: &[u8]) -> Duration {
        let process = Process::new(Duration::from_secs(5));
        let (address, _) = start(&process, health(&process));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let began = tokio::time::Instant::now();
        stream.write_all(sent).await.unwrap();
        let mut rest = Vec::new();
        let closed = stream.read_to_end(&mut rest);
        tokio::time::timeout(HEADERS * 2, closed).await.unwrap().unwrap();
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_asks_for_nothing_is_soon_closed() {
        for sent in [b"".as_slice(), b"GET /live HTTP/1.1\r\nhost: x\r\n"] {
            let after = closed_after(sent).await;
            assert!((FIRST..HEADERS).contains(&after), "{after:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_has_asked_may_stay_longer_than_an_ingress_keeps_it() {
        let after = closed_after(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(after >= HEADERS, "{after:?}");
    }

    /// A certificate for `localhost` that signs itself, and its settings.
    fn browser_tls() -> (rcgen::CertifiedKey<rcgen::KeyPair>, tempfile::TempDir) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pem"), own.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key"), own.signing_key.serialize_pem()).unwrap();
        (own, folder)
    }

    struct Tls(Option<BrowserTls>);

    impl Settings for Tls {
        fn read(reader: &mut Reader) -> Option<Self> {
            BrowserTls::read(reader).map(Self)
        }
    }

    fn read(certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<BrowserTls>, Mistakes> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let values = [
            ("BROWSER_TLS_CERTIFICATE", certificate.map(text)),
            ("BROWSER_TLS_KEY", key.map(text)),
        ];
        let given = values
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        load::<Tls>("", &given.collect()).map(|tls| tls.0)
    }

    #[tokio::test]
    async fn a_browser_that_speaks_tls_is_answered_and_one_that_does_not_is_not() {
        let (own, folder) = browser_tls();
        let tls = read(Some(&folder.path().join("pem")), Some(&folder.path().join("key"))).unwrap();
        let process = Process::new(Duration::from_secs(5));
        let web = Web::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .unwrap()
            .encrypted(tls);
        let address = web.local_address();
        let router = health(&process);
        tokio::spawn(async move { web.serve(router, &process).await });

        let mut roots = rustls::RootCertStore::empty();
        roots.add(own.cert.der().clone()).unwrap();
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = TcpStream::connect(address).await.unwrap();
        let mut stream = connector
            .connect("localhost".try_into().unwrap(), stream)
            .await
            .unwrap();
        stream
            .write_all(b"GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        // Without the end that TLS has for itself.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"));

        let mut plain = TcpStream::connect(address).await.unwrap();
        plain
            .write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        let _ = plain.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/"));
    }

    #[tokio::test]
    async fn a_handshake_that_never_ends_holds_up_no_drain() {
        let (_, folder) = browser_tls();
        let tls = read(Some(&folder.path().join("pem")), Some(&folder.path().join("key"))).unwrap();
        let process = Process::new(Duration::from_secs(5));
        let web = Web::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .unwrap()
            .encrypted(tls);
        let address = web.local_address();
        let router = health(&process);
        let serving = process.clone();
        let served = tokio::spawn(async move { web.serve(router, &serving).await });
        let _silent = TcpStream::connect(address).await.unwrap();
        // The next connection is accepted after it.
        let mut next = TcpStream::connect(address).await.unwrap();
        next.write_all(b"no TLS at all\r\n\r\n").await.unwrap();
        let _ = next.read_to_end(&mut Vec::new()).await;
        process.request_shutdown();
        timeout(Duration::from_secs(5), served)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }

    #[test]
    fn a_certificate_and_its_key_come_together_or_not_at_all() {
        let (_, folder) = browser_tls();
        let (_, other) = browser_tls();
        let (certificate, key) = (folder.path().join("pem"), folder.path().join("key"));
        assert!(read(None, None).unwrap().is_none());
        assert!(read(Some(&certificate), Some(&key)).unwrap().is_some());
        let wrong = other.path().join("key");
        for (certificate, key) in [
            (Some(&*certificate), None),
            (None, Some(&*key)),
            (Some(&*certificate), Some(&*wrong)),
        ] {
            assert!(read(certificate, key).is_err(), "{certificate:?} {key:?}");
        }
    }
}
