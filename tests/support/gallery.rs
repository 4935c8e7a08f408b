//! Every page and state of the portal, in a browser.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use tokio::net::TcpListener;

/// Serves the gallery for as long as the runtime lives; where.
///
/// # Errors
/// When no port is free.
pub async fn serve() -> Result<String> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let address = listener.local_addr()?;
    let app = sekisho_gallery::router().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://localhost:{}", address.port()))
}
