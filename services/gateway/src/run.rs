//! From settings to a running gateway.

use axum::Router;
use http::Uri;
use sekisho_service::process::{self, Process};
use sekisho_service::tls::TlsSettings;
use sekisho_service::web::{self, Web};
use sekisho_service::{client, roles};
use tower::util::BoxCloneSyncService;

use crate::backends::{Backends, Transport};
use crate::board::{Board, BoardFile, CurrentBoard};
use crate::config::Config;
use crate::edge::{Hosts, Proxies, RefusedForms};
use crate::maintenance::Maintenance;
use crate::seals::Seals;
use crate::{Gateway, build};

/// Serves browsers and health checks until the process drains.
///
/// # Errors
/// A listener cannot be bound or fails, or a certificate cannot be used.
pub async fn run(config: Config, process: Process) -> Result<(), process::Error> {
    let browsers = Web::bind(config.listen)?.encrypted(config.browser_tls.clone());
    let internal = Web::bind(config.internal_listen)?;
    let board = match config.board.clone() {
        None => CurrentBoard::of(Board::default()),
        Some(path) => {
            let (file, board) = BoardFile::new(path).await;
            process.spawn_endless("board", file.watch());
            board
        }
    };
    let gateway = gateway(config, board)?;
    let (refused_forms, backends) = (gateway.refused_forms.clone(), gateway.backends.clone());
    process.spawn_endless(
        "refused forms",
        async move { refused_forms.report(&backends).await },
    );
    let (maintenance, backends) = (gateway.maintenance.clone(), gateway.backends.clone());
    // Within the deadline of a call; whoever comes before the answer would find the portal closed.
    maintenance.ask(&backends).await;
    process.spawn_endless("maintenance", async move { maintenance.follow(&backends).await });
    let pages = build(gateway);
    // Readiness does not ask the services: the gateway alone can tell people in Japanese that they are away.
    let health = Router::new().nest("/health", web::health(&process));
    tokio::try_join!(browsers.serve(pages, &process), internal.serve(health, &process))?;
    Ok(())
}

fn gateway(config: Config, board: CurrentBoard) -> Result<Gateway, client::Error> {
    let connect = |role, urls: &[Uri]| connect(role, urls, &config.tls);
    Ok(Gateway {
        backends: Backends::new(
            connect(roles::CREDENTIALS, &config.credentials)?,
            connect(roles::OTP, &config.otp)?,
            connect(roles::SESSIONS, &config.sessions)?,
        ),
        hosts: Hosts::new(config.hosts),
        disclosure: config.disclosure,
        board,
        maintenance: Maintenance::default(),
        proxies: Proxies::new(config.trusted_proxies),
        seals: Seals::new(config.cookie_keys),
        refused_forms: RefusedForms::default(),
    })
}

fn connect(role: &'static str, urls: &[Uri], tls: &TlsSettings) -> Result<Transport, client::Error> {
    client::connect(role, urls, tls).map(BoxCloneSyncService::new)
}
