//! `/signin`: login id and password.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};

use super::{Answer, Frame, anonymous, begin_flow, html, password, read_once, session, to_sign_in};
use crate::backends::{Typed, Verdict};
use crate::cookies::{Anonymous, Cookies, Device, Flow};
use crate::edge::{Client, Site};
use crate::form::Form;
use crate::notes::{Disclosure, Note, SignInMessage, StaffMessage};
use crate::refusal::{Place, Refusal};
use crate::secret::Secret;
use crate::texts::Texts;
use crate::{Gateway, marks, typing};

/// What the marks of this page's forms name.
const FORM: &str = "/signin";

#[derive(Template)]
#[template(path = "signin.html")]
struct SignIn {
    frame: Frame,
    status: Option<&'static str>,
    errors: Vec<Mistake>,
    enquiry: Option<String>,
    typed: String,
    mark: String,
    staff_mark: String,
}

/// A message with its field and its hint.
#[derive(Clone, Copy)]
struct Mistake {
    field: Option<&'static str>,
    text: &'static str,
    hint: Option<&'static str>,
}

/// GET: the form, with what the last POST has to say. Who is signed in goes on to the top page.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    if session(&gateway, &mut cookies).await?.is_some() {
        return Ok((cookies, Redirect::to("/top")).into_response());
    }
    let note = read_once(&mut cookies);
    let bound_to = anonymous(&mut cookies).secret;
    let page = SignIn::new(&site, note, |form| marks::make(&gateway.seals, form, &bound_to));
    Ok((cookies, html(&page)?).into_response())
}

/// POST: compares, and begins a flow.
pub async fn submit(
    State(gateway): State<Arc<Gateway>>,
    client: Client,
    mut cookies: Cookies,
    form: Form,
) -> Answer {
    let [mark, typed, password] = form.take(["csrf", "user_id", "password"])?;
    let Anonymous { secret: bound_to } = cookies.read().ok_or(Refusal::CookieMissing)?;
    let message = match marks::check(&gateway.seals, FORM, &bound_to, &mark) {
        marks::Verdict::Forged => return Err(Refusal::Forged.into()),
        marks::Verdict::Stale => Some(SignInMessage::StaleForm),
        marks::Verdict::Good => missing(&typed, &password),
    };
    let once = Once {
        secret: bound_to.of_form("sekisho/sign-in-flow/1", &[&mark, &typed]),
        command: marks::command_of_form(&bound_to, &mark),
    };
    let message = match message {
        Some(message) => message,
        None => match begin(&gateway, &mut cookies, &typed, password, once, client).await? {
            Begun::Nothing(message) => message,
            Begun::Flow(redirect) => return Ok((cookies, redirect).into_response()),
        },
    };
    let redirect = to_sign_in(&mut cookies, &message.with(typing::to_fill_in(typed)));
    Ok((cookies, redirect).into_response())
}

/// What a form that is sent twice has twice: where a password must be changed, a double click is one reset with one mail.
struct Once {
    /// Of the flow.
    secret: Secret,
    /// Of the code.
    command: Vec<u8>,
}

/// What came of a password.
enum Begun {
    /// A flow, whose first page is this.
    Flow(Redirect),
    /// It was not accepted.
    Nothing(SignInMessage),
}

/// Begins a flow, if the password is accepted.
async fn begin(
    gateway: &Gateway,
    cookies: &mut Cookies,
    typed: &str,
    password: String,
    once: Once,
    client: Client,
) -> Result<Begun, Refusal> {
    let Once { secret, command } = once;
    let brought = cookies.read::<Device>();
    let device_is_new = brought.is_none();
    let device = brought.unwrap_or_else(|| Device {
        secret: Secret::fresh(),
    });
    let typing = Typed {
        login_id: typed.to_owned(),
        password,
    };
    let verdict = gateway
        .backends
        .verify_password(typing, &secret, (&device, device_is_new), client)
        .await;
    Ok(match verdict.map_err(|fault| fault.refusal(Place::SignIn))? {
        Verdict::Accepted(id) => {
            begin_flow(cookies, &Flow::minted(id, secret));
            cookies.keep(&device);
            Begun::Flow(Redirect::to("/signin/email"))
        }
        Verdict::MustChange(id) => {
            let reset = password::reset(Flow::minted(id, secret), typed, true);
            Begun::Flow(password::begin(gateway, cookies, &reset, command).await?)
        }
        Verdict::UnknownAccount => Begun::Nothing(told(gateway, SignInMessage::UnknownAccount)),
        Verdict::WrongPassword => Begun::Nothing(told(gateway, SignInMessage::WrongPassword)),
        Verdict::Locked => Begun::Nothing(SignInMessage::Locked),
        Verdict::Disabled => Begun::Nothing(SignInMessage::Disabled),
        Verdict::NoEmail => Begun::Nothing(SignInMessage::NoEmail),
        Verdict::Throttled => return Err(Refusal::Throttled(Place::SignIn)),
    })
}

/// As much as may be told.
fn told(gateway: &Gateway, message: SignInMessage) -> SignInMessage {
    match gateway.disclosure {
        Disclosure::Seed => message,
        Disclosure::Generic => SignInMessage::NotAccepted,
    }
}

/// An empty field is asked for again and counts as no attempt.
fn missing(typed: &str, password: &str) -> Option<SignInMessage> {
    let (user_id, password) = (typing::is_empty(typed), password.is_empty());
    (user_id || password).then_some(SignInMessage::Missing { user_id, password })
}

impl SignIn {
    fn new(site: &Site, note: Option<Note>, mark: impl Fn(&str) -> String) -> Self {
        let texts = site.texts();
        let mut page = Self {
            frame: Frame::sign_in(texts.sign_in, site),
            status: None,
            errors: Vec::new(),
            enquiry: None,
            typed: String::new(),
            mark: mark(FORM),
            staff_mark: mark(super::ncr::start::FORM),
        };
        match note {
            Some(Note::SignIn {
                message: SignInMessage::Cancelled,
                ..
            }) => page.status = Some(texts.cancelled),
            Some(Note::SignIn {
                message: SignInMessage::ResetCancelled,
                ..
            }) => page.status = Some(texts.reset_cancelled),
            Some(Note::SignIn { message, typed }) => {
                page.errors = mistakes(message, texts);
                page.typed = typed;
            }
            Some(Note::Staff { message, enquiry }) => {
                page.errors = of_staff(message, texts);
                page.enquiry = Some(enquiry);
            }
            _ => {}
        }
        page.frame.error = !page.errors.is_empty();
        page
    }

    /// The text beside a field.
    fn at(&self, field: &str) -> Option<&'static str> {
        self.errors
            .iter()
            .find(|error| error.field == Some(field))
            .map(|error| error.text)
    }

    /// Nothing to say: then the focus goes to the first field.
    fn is_plain(&self) -> bool {
        self.errors.is_empty() && self.status.is_none()
    }
}

fn of_staff(message: StaffMessage, texts: &'static Texts) -> Vec<Mistake> {
    let (text, hint) = match message {
        StaffMessage::Cancelled => (texts.cancelled, None),
        StaffMessage::Over => (texts.flow_over, None),
        StaffMessage::Retry => (texts.ncr_retry, None),
        StaffMessage::Failed => (texts.ncr_failed, None),
        StaffMessage::Unreachable => (texts.ncr_unreachable, None),
        StaffMessage::NoAccount => (texts.ncr_no_account, None),
        StaffMessage::Disabled => (texts.disabled, Some(texts.disabled_hint)),
        StaffMessage::FactorMissing => (texts.ncr_factor_missing, None),
    };
    vec![Mistake {
        field: None,
        text,
        hint,
    }]
}

fn mistakes(message: SignInMessage, texts: &'static Texts) -> Vec<Mistake> {
    let at = |field, text, hint| {
        vec![Mistake {
            field: Some(field),
            text,
            hint,
        }]
    };
    let general = |text, hint| {
        vec![Mistake {
            field: None,
            text,
            hint,
        }]
    };
    match message {
        SignInMessage::Missing { user_id, password } => {
            let user_id = user_id.then(|| at("user_id", texts.user_id_missing, None));
            let password = password.then(|| at("password", texts.password_missing, None));
            user_id.into_iter().chain(password).flatten().collect()
        }
        SignInMessage::UnknownAccount => {
            at("user_id", texts.unknown_account, Some(texts.unknown_account_hint))
        }
        SignInMessage::WrongPassword => at("password", texts.wrong_password, Some(texts.wrong_password_hint)),
        SignInMessage::NotAccepted => general(texts.not_accepted, Some(texts.wrong_password_hint)),
        SignInMessage::Locked => general(texts.locked, Some(texts.locked_hint)),
        SignInMessage::Disabled => general(texts.disabled, Some(texts.disabled_hint)),
        SignInMessage::NoEmail => general(texts.no_email, None),
        SignInMessage::StaleForm => general(texts.stale_form, None),
        SignInMessage::FlowOver => general(texts.flow_over, None),
        SignInMessage::Idle => general(texts.idle, None),
        SignInMessage::Absolute => general(texts.absolute, None),
        SignInMessage::EndedElsewhere => general(texts.ended_elsewhere, None),
        SignInMessage::Cancelled | SignInMessage::ResetCancelled => Vec::new(),
    }
}
