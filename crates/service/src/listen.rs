//! A bound socket, for gRPC and HTTP alike.

use futures::stream::{self, Stream};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a process without free descriptors waits before it accepts again.
const PAUSE: Duration = Duration::from_millis(100);

/// An address that cannot be bound.
#[derive(Debug, thiserror::Error)]
#[error("{address} cannot be listened on")]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

/// A socket that is bound but does not accept yet: what connects waits in the backlog.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

/// A socket that accepts.
#[derive(Debug)]
pub(crate) struct Listener(tokio::net::TcpListener);

impl Bound {
    /// Port 0 takes a free one.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, BindError> {
        let bound = std::net::TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        });
        bound.map_err(|source| BindError { address, source })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Needs a runtime.
    pub(crate) fn listen(self) -> Result<Listener, BindError> {
        let Self { listener, address } = self;
        let listening = tokio::net::TcpListener::from_std(listener);
        listening
            .map(Listener)
            .map_err(|source| BindError { address, source })
    }
}

impl Listener {
    /// The next connection. A failure to accept is never the end: peers give up, and descriptors become free again.
    pub(crate) async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, peer)) => {
                    // Messages are small, and each would otherwise wait for the acknowledgement of the one before.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
                }
                Err(error) if is_the_peers(&error) => {}
                Err(error) => {
                    tracing::error!(error = crate::chain(&error), "connections cannot be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// All connections to come. Dropping the stream closes the socket.
    pub(crate) fn into_stream(self) -> impl Stream<Item = std::io::Result<TcpStream>> {
        stream::unfold(self, async |listener| {
            let (stream, _) = listener.accept().await;
            Some((Ok(stream), listener))
        })
    }
}

fn is_the_peers(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}
