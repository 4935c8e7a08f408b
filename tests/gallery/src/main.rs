//! The program `sekisho-gallery`.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::net::TcpListener;

/// Shows every page and state of the portal, over scripted services.
#[derive(Debug, Parser)]
#[command(name = "sekisho-gallery", version)]
struct Options {
    /// Where to show them
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Show a portal to walk through instead: any user id, any password, the code 123456
    #[arg(long)]
    live: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let app = if options.live {
        sekisho_gallery::live().await
    } else {
        sekisho_gallery::router().await
    };
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    println!("http://localhost:{}", options.listen.port());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}
