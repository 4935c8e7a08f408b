//! `/password/forgot`: the login id.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;

use super::{begin, reset, to_forgot};
use crate::cookies::{Anonymous, Cookies, Flow};
use crate::edge::{Client, Site};
use crate::form::Form;
use crate::notes::{ForgotMessage, Note};
use crate::pages::{Answer, Frame, anonymous, html, read_once};
use crate::refusal::{Place, Refusal};
use crate::texts::Texts;
use crate::{Gateway, marks, typing};

const FORM: &str = "/password/forgot";

#[derive(Template)]
#[template(path = "forgot.html")]
struct Forgot {
    frame: Frame,
    alert: Option<&'static str>,
    /// The alert is about the field.
    is_missing: bool,
    typed: String,
    mark: String,
}

/// GET: the form, with what the last POST has to say.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let (message, typed) = match read_once(&mut cookies) {
        Some(Note::Forgot { message, typed }) => (Some(message), typed),
        _ => (None, String::new()),
    };
    let bound_to = anonymous(&mut cookies).secret;
    let mut frame = Frame::sign_in(site.texts().reset, &site);
    frame.error = message.is_some();
    let page = Forgot {
        frame,
        alert: message.map(|message| text(site.texts(), message)),
        is_missing: message == Some(ForgotMessage::Missing),
        typed,
        mark: marks::make(&gateway.seals, FORM, &bound_to),
    };
    Ok((cookies, html(&page)?).into_response())
}

/// POST: begins a flow for whatever login id was typed.
pub async fn submit(
    State(gateway): State<Arc<Gateway>>,
    client: Client,
    mut cookies: Cookies,
    form: Form,
) -> Answer {
    let [mark, typed] = form.take(["csrf", "user_id"])?;
    let Anonymous { secret: bound_to } = cookies.read().ok_or(Refusal::CookieMissing)?;
    let message = match marks::check(&gateway.seals, FORM, &bound_to, &mark) {
        marks::Verdict::Forged => return Err(Refusal::Forged.into()),
        marks::Verdict::Stale => Some(ForgotMessage::StaleForm),
        marks::Verdict::Good if typing::is_empty(&typed) => Some(ForgotMessage::Missing),
        marks::Verdict::Good => None,
    };
    if let Some(message) = message {
        let redirect = to_forgot(&mut cookies, message, typing::to_fill_in(typed));
        return Ok((cookies, redirect).into_response());
    }
    // A double click is one reset, with one mail.
    let secret = bound_to.of_form("sekisho/reset-flow/1", &[&mark]);
    let asked = gateway
        .backends
        .request_reset(typed.clone(), &secret, cookies.read(), client)
        .await;
    let id = asked.map_err(|fault| fault.refusal(Place::Reset))?;
    let flow = Flow::minted(id, secret);
    let command = marks::command_of_form(&bound_to, &mark);
    let redirect = begin(&gateway, &mut cookies, &reset(flow, &typed, false), command).await?;
    Ok((cookies, redirect).into_response())
}

fn text(texts: &Texts, message: ForgotMessage) -> &'static str {
    match message {
        ForgotMessage::Missing => texts.user_id_missing,
        ForgotMessage::StaleForm => texts.stale_form,
        ForgotMessage::Over => texts.reset_over,
    }
}
