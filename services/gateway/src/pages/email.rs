//! `/signin/email`: the second step. One address for every state; what it shows is read from the log.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use time::OffsetDateTime;

use super::code::{Focus, Forms, Stage, View, readable};
use super::{Answer, Frame, cancel, flow, flow_fault, html, is_current, read_once};
use crate::backends::{CodeVerdict, Ended, Fault, Known, Reason, Started};
use crate::cookies::{Cookies, Flow, Person, Session};
use crate::edge::Site;
use crate::form::Form;
use crate::notes::{CodeMessage, Note};
use crate::refusal::{Place, Refusal, Trouble};
use crate::{Gateway, marks, texts};

const SEND: &str = "/signin/email/send";
const VERIFY: &str = "/signin/email/verify";
const CONTINUE: &str = "/signin/email/continue";

#[derive(Template)]
#[template(path = "email.html")]
struct Email {
    frame: Frame,
    view: View,
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
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let flow = flow(&mut cookies)?;
    let asked = futures::try_join!(
        gateway.backends.flow(&flow),
        gateway.backends.describe_flow(&flow)
    );
    let (state, described) = asked.map_err(|fault| flow_fault(&mut cookies, fault))?;
    let said = match read_once(&mut cookies) {
        Some(Note::Email(message)) => Some(message),
        _ => None,
    };
    let view = View::of_sign_in(&state, described, said).ok_or_else(|| unknown_state("GetFlow"))?;
    let forms = Forms::new(&gateway.seals, &flow, VERIFY, SEND);
    let page = html(&Email::new(
        &site,
        view,
        &flow,
        forms,
        Marks::new(&gateway, &flow),
    ))?;
    Ok((cookies, page).into_response())
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
        Err(fault) => Err(flow_fault(&mut cookies, fault)),
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
        Err(fault) => Err(flow_fault(&mut cookies, fault)),
    }
}

/// POST of 続行: sessions decides on the evidence in the log. The names are asked for once, now; if that fails, the
/// same button works again, because the same flow always opens the same session.
pub async fn proceed(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark] = form.take(["csrf"])?;
    let flow = flow(&mut cookies)?;
    if !is_current(&gateway, CONTINUE, &flow.secret, &mark)? {
        return Ok(say(cookies, CodeMessage::StaleForm));
    }
    let started = match gateway.backends.start(&flow).await {
        Ok(started) => started,
        Err(Fault::Refused(Reason::EvidenceMissing)) => return Ok(say(cookies, CodeMessage::NotVerified)),
        Err(fault) => return Err(flow_fault(&mut cookies, fault)),
    };
    let seeing = Flow {
        seen: started.position,
        ..flow
    };
    let described = gateway.backends.describe_flow(&seeing).await;
    let described = described.map_err(|fault| flow_fault(&mut cookies, fault))?;
    let known = described.person.ok_or_else(|| unknown_state("DescribeFlow"))?;
    end_other(&gateway, &cookies, &started.session).await?;
    cookies.keep(&person(known, &started));
    cookies.keep(&started.session);
    cookies.forget::<Flow>();
    Ok((cookies, Redirect::to("/top")).into_response())
}

/// Ends the session that this browser still holds, of whomever: after this page nobody could end it any more.
async fn end_other(gateway: &Gateway, cookies: &Cookies, new: &Session) -> Result<(), Refusal> {
    let Some(old) = cookies.read::<Session>() else {
        return Ok(());
    };
    if old.token.digest() == new.token.digest() {
        return Ok(());
    }
    match gateway.backends.end(&old).await {
        Ok(Ended::Recorded | Ended::Unrecorded) | Err(Fault::Refused(Reason::SessionOver(_))) => Ok(()),
        Err(fault) => Err(fault.refusal(Place::Email)),
    }
}

fn person(known: Known, started: &Started) -> Person {
    Person {
        session: started.session.token.digest(),
        facility: known.facility,
        name: known.name,
        last_signed_in: started.previous_started_at.map(OffsetDateTime::unix_timestamp),
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
        CodeMessage::NotVerified | CodeMessage::StaleForm => "/signin/email#error-summary",
    };
    (cookies, Redirect::to(target)).into_response()
}

/// A service is ahead of this page.
fn unknown_state(call: &'static str) -> Refusal {
    let (code, reason) = (tonic::Code::Internal, Some("UNKNOWN_STATE".into()));
    Refusal::Down(Trouble {
        place: Place::Email,
        call,
        code,
        reason,
    })
}

impl Email {
    fn new(site: &Site, view: View, flow: &Flow, forms: Forms, marks: Marks) -> Self {
        let mut frame = Frame::sign_in(texts::EMAIL, site);
        frame.error = view.alert.is_some();
        let enquiry = (view.stage == Stage::Failed).then(|| flow.enquiry().to_string());
        if let Some(enquiry) = &enquiry {
            tracing::warn!(enquiry, "a code could not be mailed");
        }
        Self {
            frame,
            view,
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
