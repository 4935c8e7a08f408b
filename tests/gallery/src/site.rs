//! The gallery as a site.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{StatusCode, Uri, header};

use crate::browser::{Browser, Page};
use crate::states::{STATES, show_in};
use crate::world::World;

/// `/show/NAME` is a state as it is right after somebody got there, `/show/NAME/en` the same in English; `/` lists them all. Where the
/// browser was led to a place within the page, the page opens there.
pub async fn router() -> Router {
    Router::new()
        .route("/", get(list))
        .route("/show/{name}", get(japanese))
        .route("/show/{name}/en", get(english))
        .route("/assets/{name}", get(asset))
        .with_state(Browser::new(&World::new()))
}

/// A portal to walk through: the user id is of no matter, the code is 123456.
pub async fn live() -> Router {
    Browser::new(&World::new()).router
}

async fn list() -> Html<String> {
    let link = |name| format!("<li><a href=\"/show/{name}\">{name}</a> <a href=\"/show/{name}/en\">en</a>");
    let links: Vec<_> = STATES.iter().map(link).collect();
    Html(format!(
        "<!doctype html><title>Sekisho</title><ul>{}</ul>",
        links.concat()
    ))
}

async fn japanese(Path(name): Path<String>, uri: Uri) -> Response {
    state(&name, None, &uri).await
}

async fn english(Path(name): Path<String>, uri: Uri) -> Response {
    state(&name, Some("en"), &uri).await
}

async fn state(name: &str, language: Option<&'static str>, uri: &Uri) -> Response {
    if !STATES.contains(&name) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let page = show_in(name, language).await.page;
    match page.address.split_once('#') {
        // Only the browser knows whether it is there already.
        Some((_, place)) if uri.query().is_none() => {
            Redirect::to(&format!("{}?there#{place}", uri.path())).into_response()
        }
        _ => still(page),
    }
}

/// With the headers that a browser would get, among them the policy of what may run. A page that leads on by itself stays.
fn still(page: Page) -> Response {
    let mut headers = page.headers;
    for of_a_real_host in [
        header::SET_COOKIE,
        header::STRICT_TRANSPORT_SECURITY,
        header::CONTENT_LENGTH,
        header::RETRY_AFTER,
    ] {
        headers.remove(of_a_real_host);
    }
    // A page that would look again or lead on by itself stays as it is.
    let text = page
        .text
        .replace("http-equiv=\"refresh\"", "name=\"refresh\"")
        .replace(" data-watch", "");
    (headers, text).into_response()
}

async fn asset(State(mut files): State<Browser>, Path(name): Path<String>) -> Response {
    let file = files.open(&format!("/assets/{name}")).await;
    (file.headers.clone(), file.text.clone()).into_response()
}
