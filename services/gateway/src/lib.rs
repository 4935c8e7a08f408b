//! The pages that hospital staff see, from the sign-in to サインアウト完了.
//!
//! The gateway holds no account, no code and no session: it asks credentials, otp and sessions. What it remembers of a
//! person stands in sealed cookies ([`cookies`]), what a page shows of a sign-in is read from the log by those
//! services. Every form is a plain POST that answers 303, so reload and Back never send anything twice.

pub mod backends;
pub mod board;
mod config;
pub mod cookies;
pub mod edge;
pub mod form;
pub mod maintenance;
pub mod marks;
pub mod notes;
pub mod pages;
pub mod refusal;
mod run;
pub mod seals;
pub mod secret;
pub mod texts;
pub mod times;
pub mod typing;

use std::sync::Arc;

use axum::{Router, middleware};

use backends::Backends;
use board::CurrentBoard;
use edge::{Hosts, Proxies, RefusedForms};
use maintenance::Maintenance;
use notes::Disclosure;
use seals::Seals;

pub use config::Config;
pub use run::run;

/// Everything that a page needs beside its request.
#[derive(Clone)]
pub struct Gateway {
    /// The services.
    pub backends: Backends,
    /// The keys of cookies and forms.
    pub seals: Seals,
    /// The names under which browsers may come.
    pub hosts: Hosts,
    /// Whether an unknown id and a wrong password are told apart.
    pub disclosure: Disclosure,
    /// Whose word on client addresses counts.
    pub proxies: Proxies,
    /// Which hosts are closed.
    pub maintenance: Maintenance,
    /// What the top page shows to everybody.
    pub board: CurrentBoard,
    /// What is told to credentials about refused forms.
    pub refused_forms: RefusedForms,
}

/// The browsers' router.
pub fn build(gateway: Gateway) -> Router {
    let gateway = Arc::new(gateway);
    pages::router()
        .layer(middleware::from_fn_with_state(gateway.clone(), edge::guard))
        .with_state(gateway)
}
