//! The JSON of Mailpit's API, version 1: <https://mailpit.axllent.org/docs/api-v1/>, as far as tests need it.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router, body::Bytes};
use serde::Deserialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::mail::{Address, Mail};
use crate::store::Store;

/// `/api/v1/…`
pub(crate) fn routes() -> Router<Store> {
    Router::new()
        .route("/api/v1/messages", get(list).delete(delete))
        .route("/api/v1/message/{id}", get(show))
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    start: usize,
    #[serde(default = "fifty")]
    limit: usize,
}

fn fifty() -> usize {
    50
}

async fn list(State(store): State<Store>, Query(range): Query<Range>) -> Json<Value> {
    let all = store.all();
    let page: Vec<Value> = all
        .iter()
        .skip(range.start)
        .take(range.limit)
        .map(|mail| summary(mail))
        .collect();
    Json(json!({
        "total": all.len(),
        "unread": all.len(),
        "count": page.len(),
        "messages_count": all.len(),
        "messages_unread": all.len(),
        "start": range.start,
        "tags": [],
        "messages": page,
    }))
}

async fn show(State(store): State<Store>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    store
        .find(&id)
        .map(|mail| Json(document(&mail)))
        .ok_or(StatusCode::NOT_FOUND)
}

#[derive(Deserialize, Default)]
struct Deletion {
    #[serde(rename = "IDs", default)]
    ids: Vec<String>,
}

/// A body is not needed: without ids, all mails go.
async fn delete(State(store): State<Store>, body: Bytes) -> Result<&'static str, StatusCode> {
    let deletion: Deletion = if body.is_empty() {
        Deletion::default()
    } else {
        serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?
    };
    store.delete(&deletion.ids);
    Ok("ok")
}

fn summary(mail: &Mail) -> Value {
    json!({
        "ID": mail.id.to_string(),
        "MessageID": mail.message_id,
        "Read": false,
        "From": mail.from.first().map(address),
        "To": addresses(&mail.to),
        "Cc": addresses(&mail.cc),
        "Bcc": addresses(&mail.bcc),
        "ReplyTo": addresses(&mail.reply_to),
        "Subject": mail.subject,
        "Created": mail.received.format(&Rfc3339).unwrap_or_default(),
        "Tags": [],
        "Size": mail.size,
        "Attachments": mail.attachments,
        "Snippet": mail.snippet(),
    })
}

fn document(mail: &Mail) -> Value {
    json!({
        "ID": mail.id.to_string(),
        "MessageID": mail.message_id,
        "From": mail.from.first().map(address),
        "To": addresses(&mail.to),
        "Cc": addresses(&mail.cc),
        "Bcc": addresses(&mail.bcc),
        "ReplyTo": addresses(&mail.reply_to),
        "ReturnPath": mail.return_path,
        "Subject": mail.subject,
        "Date": mail.received.format(&Rfc3339).unwrap_or_default(),
        "Tags": [],
        "Text": mail.text,
        "HTML": mail.html,
        "Size": mail.size,
        "Inline": [],
        "Attachments": [],
    })
}

fn addresses(list: &[Address]) -> Vec<Value> {
    list.iter().map(address).collect()
}

fn address(one: &Address) -> Value {
    json!({ "Name": one.name, "Address": one.address })
}
