//! `/signin/email`: the second step. One address for every state; what it shows is read from the log.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};

use super::code::{Focus, Forms, Stage, View, readable};
use super::open::open;
use super::{Answer, Frame, cancel, flow, flow_fault, html, is_by_script, is_current, read_once};
use crate::backends::{CodeVerdict, Fault, Reason};
use crate::cookies::{Cookies, Elsewhere, Flow};
use crate::edge::Site;
use crate::form::Form;
use crate::notes::{CodeMessage, Note};
use crate::refusal::{Place, Refusal, Stop};
use crate::{Gateway, marks};

const SEND: &str = "/signin/email/send";
const VERIFY: &str = "/signin/email/verify";
const CONTINUE: &str = "/signin/email/continue";

#[derive(Template)]
#[template(path = "email.html")]
struct Email {
    frame: Frame,
    view: View,
    /// Tells this flow's pages from those of another one; opens nothing.
    flow_name: String,
    enquiry: Option<String>,
    forms: Forms,
    marks: Marks,
}

/// The hidden fields of the other forms.
struct Marks {
    proceed: String,
    cancel: String,
}

/// GET: where the flow stands.
pub async fn show(
    State(gateway): State<Arc<Gateway>>,
    site: Site,
    mut cookies: Cookies,
    headers: HeaderMap,
) -> Answer {
    if !is_by_script(&headers) {
        let said = match read_once(&mut cookies) {
            Some(Note::Email(message)) => Some(message),
            _ => None,
        };
        let page = page(&gateway, &site, &mut cookies, said).await?;
        return Ok((cookies, page).into_response());
    }
    // A script looks on while its window may be another flow's: nothing is said that is said once, and no cookie changes.
    match page(&gateway, &site, &mut cookies, None).await {
        Err(Stop::Elsewhere(_)) => Ok(StatusCode::RESET_CONTENT.into_response()),
        looked_at => looked_at,
    }
}

async fn page(gateway: &Gateway, site: &Site, cookies: &mut Cookies, said: Option<CodeMessage>) -> Answer {
    let flow = flow(cookies)?;
    let asked = futures::try_join!(
        gateway.backends.flow(&flow),
        gateway.backends.describe_flow(&flow)
    );
    let (state, described) = asked.map_err(|fault| flow_fault(cookies, Place::Email, fault))?;
    let view = View::of_sign_in(site.texts(), &state, described, said)
        .ok_or_else(|| Fault::unknown_state("GetFlow").refusal(Place::Email))?;
    let forms = Forms::new(&gateway.seals, &flow, VERIFY, SEND);
    let marks = Marks::new(gateway, &flow);
    html(&Email::new(site, view, &flow, forms, marks))
}

/// POST of 確認コードを送信 and 新しいコードを送信します. What came of it is read from the log by the page after.
pub async fn send(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark, command] = form.take(["csrf", "command"])?;
    let flow = flow(&mut cookies)?;
    if !is_current(&gateway, SEND, &flow.secret, &mark)? {
        return Ok(say(cookies, CodeMessage::StaleForm));
    }
    let command = marks::read_command_id(&command).ok_or(Refusal::Unreadable)?;
    match gateway.backends.issue_code(&flow, command).await {
        Ok(()) | Err(Fault::Refused(Reason::CodesShut)) => Ok(Redirect::to("/signin/email").into_response()),
        Err(Fault::Refused(Reason::TooSoon)) => Ok(say(cookies, CodeMessage::TooSoon)),
        Err(Fault::Refused(Reason::TooManyCodes)) => Ok(say(cookies, CodeMessage::TooMany)),
        Err(fault) => Err(flow_fault(&mut cookies, Place::Email, fault)),
    }
}

/// POST of コードの確認.
pub async fn verify(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark, command, code] = form.take(["csrf", "command", "code"])?;
    let flow = flow(&mut cookies)?;
    if !is_current(&gateway, VERIFY, &flow.secret, &mark)? {
        return Ok(say(cookies, CodeMessage::StaleForm));
    }
    let command = marks::read_command_id(&command).ok_or(Refusal::Unreadable)?;
    if let Err(message) = readable(&code) {
        return Ok(say(cookies, message));
    }
    match gateway.backends.verify_code(&flow, code, command).await {
        Ok(CodeVerdict::Accepted(seen)) => {
            cookies.keep(&Flow { seen, ..flow });
            Ok((cookies, Redirect::to("/signin/email")).into_response())
        }
        Ok(CodeVerdict::Rejected { replaced }) => Ok(say(cookies, CodeMessage::Wrong { replaced })),
        Err(Fault::Refused(Reason::CodeMalformed)) => Ok(say(cookies, CodeMessage::Malformed)),
        Err(Fault::Refused(Reason::NoLiveCode | Reason::CodesShut)) => {
            Ok(Redirect::to("/signin/email").into_response())
        }
        Err(fault) => Err(flow_fault(&mut cookies, Place::Code, fault)),
    }
}

/// POST of 続行.
pub async fn proceed(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let flow = flow(&mut cookies)?;
    if !is_current(&gateway, CONTINUE, &flow.secret, &mark)? {
        return Ok(say(cookies, CodeMessage::StaleForm));
    }
    match open(&gateway, &mut cookies, flow, Elsewhere::Nowhere).await {
        Ok(next) => Ok((cookies, next).into_response()),
        Err(Fault::Refused(Reason::EvidenceMissing)) => Ok(say(cookies, CodeMessage::NotVerified)),
        Err(fault) => Err(flow_fault(&mut cookies, Place::Email, fault)),
    }
}

pub(super) fn say(mut cookies: Cookies, message: CodeMessage) -> Response {
    cookies.keep(&Note::Email(message));
    let target = match message {
        // The page gives the focus to the code or to キャンセル by itself.
        CodeMessage::Wrong { .. }
        | CodeMessage::Missing
        | CodeMessage::Malformed
        | CodeMessage::TooSoon
        | CodeMessage::TooMany => "/signin/email",
        CodeMessage::NotVerified => "/signin/email#error-summary",
        CodeMessage::StaleForm => "/signin/email#said",
    };
    (cookies, Redirect::to(target)).into_response()
}

impl Email {
    fn new(site: &Site, view: View, flow: &Flow, forms: Forms, marks: Marks) -> Self {
        let mut frame = Frame::sign_in(site.texts().email, site);
        frame.error = view.alert.is_some();
        let enquiry = (view.stage == Stage::Failed).then(|| flow.enquiry().to_string());
        if let Some(enquiry) = &enquiry {
            tracing::warn!(enquiry, "a code could not be mailed");
        }
        Self {
            frame,
            view,
            flow_name: flow.secret.public_name(),
            enquiry,
            forms,
            marks,
        }
    }
}

impl Marks {
    fn new(gateway: &Gateway, flow: &Flow) -> Self {
        let mark = |form| marks::make(&gateway.seals, form, &flow.secret);
        Self {
            proceed: mark(CONTINUE),
            cancel: mark(cancel::FORM),
        }
    }
}
