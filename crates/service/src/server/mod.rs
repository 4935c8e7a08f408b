//! A gRPC server that knows its callers.
//!
//! Every connection is mutual TLS; the caller's certificate says its role (OU) and its name (CN). A call passes, from
//! the outside in: a span with the caller's trace context, the table of callers, readiness, a bound on concurrent calls,
//! a time limit, a size limit. What the table does not name is refused.
//!
//! A service with an administration listener runs two servers:
//!
//! ```no_run
//! # use sekisho_service::{process::{self, Process}, server::{Method, Server, ServerSettings}};
//! # const CALLERS: &[Method] = &[]; const ADMINISTRATION: &[Method] = &[];
//! # async fn f(settings: ServerSettings, admin: std::net::SocketAddr, process: Process) -> Result<(), process::Error> {
//! let main = Server::new(&settings, CALLERS)?;
//! let administration = Server::new(&settings.at(admin), ADMINISTRATION)?;
//! tokio::try_join!(main.serve(&process), administration.serve(&process))?;
//! # Ok(()) }
//! ```

mod callers;
mod calls;
mod health;
mod limits;
mod peer;
mod ready;

pub use callers::{Method, STANDARD};
pub use peer::Peer;

use crate::listen::{BindError, Bound};
use crate::process::Process;
use crate::readiness::Readiness;
use crate::settings::{Reader, Settings};
use crate::tls::TlsSettings;
use axum::middleware;
use callers::Table;
use limits::Limits;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;

/// How often an idle connection is asked whether its peer still lives.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Where a server listens and who it is.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The address to bind; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate, key and authority.
    pub tls: TlsSettings,
}

/// A listener with its table of callers and its services. Bound when made, serving when told to.
pub struct Server {
    socket: Bound,
    tls: TlsSettings,
    callers: Table,
    routes: Routes,
    names: Vec<&'static str>,
}

/// A server that cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The table of callers names a method twice.
    #[error("the table of callers names {0} twice")]
    ListedTwice(&'static str),
    /// The descriptors for reflection do not decode.
    #[error("the descriptors cannot be served")]
    Descriptors(#[source] tonic_reflection::server::Error),
    /// TLS or the accept loop.
    #[error("the server cannot serve")]
    Transport(#[from] tonic::transport::Error),
}

impl ServerSettings {
    /// The same identity at another address, for the administration listener.
    #[must_use]
    pub fn at(&self, listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: self.tls.clone(),
        }
    }
}

impl Settings for ServerSettings {
    fn read(reader: &mut Reader) -> Option<Self> {
        let listen = reader.required("LISTEN", "where the gRPC server listens");
        let tls = TlsSettings::read(reader);
        Some(Self {
            listen: listen?,
            tls: tls?,
        })
    }
}

impl Server {
    /// Binds the address and adds reflection. `callers` names every method that anyone may call; health and reflection
    /// ([`STANDARD`]) need not be in it.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound or the table names a method twice.
    pub fn new(settings: &ServerSettings, callers: &'static [Method]) -> Result<Self, Error> {
        crate::crypto::install();
        let callers = Table::new(callers)?;
        let socket = Bound::new(settings.listen)?;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(sekisho_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(Error::Descriptors)?;
        Ok(Self {
            socket,
            tls: settings.tls.clone(),
            callers,
            routes: Routes::new(reflection),
            names: Vec::new(),
        })
    }

    /// The bound address, with the port that was taken for port 0.
    pub fn local_address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Adds a generated tonic server, such as `OtpServiceServer::new(api)`.
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: tower::Service<http::Request<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes = self.routes.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Serves until the process drains and every running call has ended. Health says `SERVING` once every latch of the
    /// process is released.
    ///
    /// # Errors
    ///
    /// If TLS cannot be set up or the listener fails.
    pub async fn serve(self, process: &Process) -> Result<(), Error> {
        let address = self.local_address();
        let (health, reporter) = health::service(&self.names).await;
        let services = self.routes.add_service(health).into_axum_router();
        let guarded = guarded(services, self.callers, process.readiness());
        let incoming = self.socket.listen()?.into_stream();
        tracing::info!(%address, services = ?self.names, "serving gRPC");
        process.serving();
        let serve = tonic::transport::Server::builder()
            .tls_config(self.tls.server())?
            .http2_keepalive_interval(Some(KEEPALIVE))
            .max_concurrent_streams(limits::CONCURRENT_CALLS)
            .add_routes(Routes::from(guarded))
            .serve_with_incoming_shutdown(incoming, process.shutdown().cancelled_owned());
        // Health follows while the listener serves; when the listener ends, so does all this.
        let follow = async {
            health::follow(&reporter, &self.names, process).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            served = serve => Ok(served?),
            () = follow => Ok(()),
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("services", &self.names)
            .finish_non_exhaustive()
    }
}

/// Puts the layers around the services; the last one added is the outermost.
fn guarded(routes: axum::Router, callers: Table, readiness: &Readiness) -> axum::Router {
    routes
        .layer(middleware::from_fn_with_state(
            Arc::new(Limits::new(limits::CONCURRENT_CALLS)),
            limits::limit,
        ))
        .layer(middleware::from_fn_with_state(readiness.clone(), ready::wait))
        .layer(middleware::from_fn_with_state(Arc::new(callers), callers::admit))
        .layer(middleware::from_fn(calls::observe))
}
