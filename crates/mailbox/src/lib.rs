//! A mailbox for development and tests: takes every mail by real SMTP, shows it on a page, and tells programs about
//! it in the JSON of Mailpit's first API version. It keeps the newest mails in memory and sends nothing anywhere.

mod api;
mod mail;
mod page;
mod smtp;
mod store;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::TcpListener;

pub use store::{KEPT, Store};

/// Takes mails and answers browsers and programs, until one of the listeners fails.
///
/// # Errors
/// When a listener fails.
pub async fn serve(smtp: TcpListener, http: TcpListener) -> Result<()> {
    let store = Store::default();
    let pages = Router::new()
        .merge(page::routes())
        .merge(api::routes())
        .with_state(store.clone());
    tokio::select! {
        ended = smtp::serve(smtp, store) => ended.context("the SMTP listener failed"),
        ended = axum::serve(http, pages) => ended.context("the HTTP listener failed"),
    }
}
