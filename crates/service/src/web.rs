//! HTTP for the process that serves browsers, with the same life cycle as the gRPC servers.

use crate::process::Process;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use std::net::{SocketAddr, TcpListener};

/// A bound HTTP listener.
#[derive(Debug)]
pub struct Web {
    listener: TcpListener,
    address: SocketAddr,
}

/// A listener that cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("{address} cannot be listened on")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The accept loop failed.
    #[error("HTTP cannot be served")]
    Serve(#[source] std::io::Error),
}

impl Web {
    /// Binds an address; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address is taken or not ours.
    pub fn bind(address: SocketAddr) -> Result<Self, Error> {
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        });
        bound.map_err(|source| Error::Bind { address, source })
    }

    /// The bound address.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process drains and every running request has been answered. Handlers find the address of the
    /// other end as `axum::extract::ConnectInfo<SocketAddr>`.
    ///
    /// # Errors
    ///
    /// If the listener fails.
    pub async fn serve(self, router: Router, process: &Process) -> Result<(), Error> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(Error::Serve)?;
        tracing::info!(address = %self.address, "serving HTTP");
        process.serving();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service)
            .with_graceful_shutdown(process.shutdown().cancelled_owned())
            .await
            .map_err(Error::Serve)
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
