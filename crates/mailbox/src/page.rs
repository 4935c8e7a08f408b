//! The pages for people.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use time::UtcOffset;
use time::macros::{format_description, offset};

use crate::mail::{Address, Mail};
use crate::store::Store;

const TOKYO: UtcOffset = offset!(+9);

/// `/`, `/mails/{id}`, `/delete`
pub(crate) fn routes() -> Router<Store> {
    Router::new()
        .route("/", get(list))
        .route("/mails/{id}", get(show))
        .route("/delete", post(delete))
}

#[derive(Template)]
#[template(path = "list.html")]
struct List {
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Show {
    row: Row,
    text: String,
}

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing;

/// What both pages show of a mail.
struct Row {
    id: u64,
    subject: String,
    from: String,
    to: String,
    received: String,
    snippet: String,
    copies: usize,
}

impl Row {
    fn new(store: &Store, mail: &Mail) -> Self {
        let recipients: Vec<Address> = mail.to.iter().chain(&mail.cc).chain(&mail.bcc).cloned().collect();
        let time = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let subject = if mail.subject.is_empty() {
            "(件名なし)".to_owned()
        } else {
            mail.subject.clone()
        };
        Self {
            id: mail.id,
            subject,
            from: names(&mail.from),
            to: names(&recipients),
            received: mail.received.to_offset(TOKYO).format(time).unwrap_or_default(),
            snippet: mail.snippet(),
            copies: store.copies(mail),
        }
    }
}

fn names(addresses: &[Address]) -> String {
    let one = |address: &Address| {
        if address.name.is_empty() {
            address.address.clone()
        } else {
            format!("{} <{}>", address.name, address.address)
        }
    };
    addresses.iter().map(one).collect::<Vec<_>>().join(", ")
}

async fn list(State(store): State<Store>) -> Response {
    let rows = store.all().iter().map(|mail| Row::new(&store, mail)).collect();
    render(&List { rows })
}

async fn show(State(store): State<Store>, Path(id): Path<String>) -> Response {
    match store.find(&id) {
        Some(mail) => render(&Show {
            row: Row::new(&store, &mail),
            text: mail.text.clone(),
        }),
        None => (StatusCode::NOT_FOUND, render(&Missing)).into_response(),
    }
}

async fn delete(State(store): State<Store>) -> Redirect {
    store.delete(&[]);
    Redirect::to("/")
}

fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
