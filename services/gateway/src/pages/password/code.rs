//! `/password/forgot/code`: the code, whether one was mailed or not.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::{cancel, current, fault};
use crate::backends::{CodeVerdict, Fault, Reason};
use crate::cookies::{Cookies, Flow, Reset};
use crate::edge::Site;
use crate::form::Form;
use crate::notes::{CodeMessage, Note};
use crate::pages::code::{Focus, Forms, Stage, View, readable};
use crate::pages::{Answer, Frame, html, is_current, read_once};
use crate::refusal::{Place, Refusal, Trouble};
use crate::texts::Texts;
use crate::{Gateway, marks};

const SEND: &str = "/password/forgot/code/send";
const VERIFY: &str = "/password/forgot/code/verify";

#[derive(Template)]
#[template(path = "forgot_code.html")]
struct Code {
    frame: Frame,
    view: View,
    /// A reset tells nothing of its mail, so there is nothing to enquire about.
    enquiry: Option<String>,
    forms: Forms,
    cancel: String,
}

/// GET: where the flow stands. Who has proved the address goes on to the new password.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let reset = current(&mut cookies)?;
    let asked = gateway.backends.flow(&reset.flow).await;
    let state = asked.map_err(|error| fault(&mut cookies, Place::Reset, error))?;
    let said = match read_once(&mut cookies) {
        Some(Note::ResetCode(message)) => Some(message),
        _ => None,
    };
    let view = View::of_reset(site.texts(), &state, sentence(site.texts(), &reset), said)
        .ok_or_else(unknown_state)?;
    if view.stage == Stage::Verified {
        return Ok((cookies, Redirect::to("/password/forgot/new")).into_response());
    }
    let mut frame = Frame::sign_in(site.texts().reset_code, &site);
    frame.error = view.alert.is_some();
    let page = Code {
        frame,
        view,
        enquiry: None,
        forms: Forms::new(&gateway.seals, &reset.flow, VERIFY, SEND),
        cancel: marks::make(&gateway.seals, cancel::FORM, &reset.flow.secret),
    };
    Ok((cookies, html(&page)?).into_response())
}

/// POST of 新しいコードを送信します.
pub async fn send(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark, command] = form.take(["csrf", "command"])?;
    let reset = current(&mut cookies)?;
    if !is_current(&gateway, SEND, &reset.flow.secret, &mark)? {
        return Ok(say(cookies, CodeMessage::StaleForm));
    }
    let command = marks::read_command_id(&command).ok_or(Refusal::Unreadable)?;
    match gateway.backends.issue_code(&reset.flow, command).await {
        Ok(()) | Err(Fault::Refused(Reason::CodesShut)) => {
            Ok(Redirect::to("/password/forgot/code").into_response())
        }
        Err(Fault::Refused(Reason::TooSoon)) => Ok(say(cookies, CodeMessage::TooSoon)),
        Err(Fault::Refused(Reason::TooManyCodes)) => Ok(say(cookies, CodeMessage::TooMany)),
        Err(error) => Err(fault(&mut cookies, Place::Reset, error)),
    }
}

/// POST of コードの確認.
pub async fn verify(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark, command, code] = form.take(["csrf", "command", "code"])?;
    let reset = current(&mut cookies)?;
    if !is_current(&gateway, VERIFY, &reset.flow.secret, &mark)? {
        return Ok(say(cookies, CodeMessage::StaleForm));
    }
    let command = marks::read_command_id(&command).ok_or(Refusal::Unreadable)?;
    if let Err(message) = readable(&code) {
        return Ok(say(cookies, message));
    }
    match gateway.backends.verify_code(&reset.flow, code, command).await {
        Ok(CodeVerdict::Accepted(seen)) => {
            let flow = Flow { seen, ..reset.flow };
            cookies.keep(&Reset { flow, ..reset });
            Ok((cookies, Redirect::to("/password/forgot/new")).into_response())
        }
        Ok(CodeVerdict::Rejected { replaced }) => Ok(say(cookies, CodeMessage::Wrong { replaced })),
        Err(Fault::Refused(Reason::CodeMalformed)) => Ok(say(cookies, CodeMessage::Malformed)),
        Err(Fault::Refused(Reason::NoLiveCode | Reason::CodesShut)) => {
            Ok(Redirect::to("/password/forgot/code").into_response())
        }
        Err(error) => Err(fault(&mut cookies, Place::ResetCode, error)),
    }
}

fn sentence(texts: &Texts, reset: &Reset) -> &'static str {
    if reset.must_change {
        texts.must_change
    } else {
        texts.reset_sent
    }
}

pub(super) fn say(mut cookies: Cookies, message: CodeMessage) -> Response {
    cookies.keep(&Note::ResetCode(message));
    let target = match message {
        // The page gives the focus to the code or to キャンセル by itself.
        CodeMessage::Wrong { .. }
        | CodeMessage::Missing
        | CodeMessage::Malformed
        | CodeMessage::TooSoon
        | CodeMessage::TooMany => "/password/forgot/code",
        CodeMessage::NotVerified => "/password/forgot/code#error-summary",
        CodeMessage::StaleForm => "/password/forgot/code#said",
    };
    (cookies, Redirect::to(target)).into_response()
}

/// otp is ahead of this page.
fn unknown_state() -> Refusal {
    Refusal::Down(Trouble {
        place: Place::Reset,
        call: "GetFlow",
        code: tonic::Code::Internal,
        reason: Some("UNKNOWN_STATE".into()),
    })
}
