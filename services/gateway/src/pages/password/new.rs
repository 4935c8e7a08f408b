//! `/password/forgot/new`: the new password.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::{cancel, current, fault};
use crate::backends::{Fault, NewPassword, Reason, Unfit};
use crate::cookies::{Cookies, Device, Past, Reset};
use crate::edge::Site;
use crate::form::Form;
use crate::notes::{NewPasswordMessage, Note, SignInMessage};
use crate::pages::{Answer, Frame, html, is_current, read_once, to_sign_in};
use crate::refusal::{Place, Refusal};
use crate::secret::Secret;
use crate::texts::Texts;
use crate::{Gateway, marks};

const FORM: &str = "/password/forgot/new";

#[derive(Template)]
#[template(path = "new_password.html")]
struct New {
    frame: Frame,
    error: Option<Mistake>,
    length: String,
    /// In characters.
    shortest: u32,
    typed: String,
    mark: String,
    command: String,
    cancel: String,
}

/// What is wrong, where, and why.
struct Mistake {
    /// The field; `None` for the page as a whole.
    field: Option<&'static str>,
    text: String,
    reason: Option<&'static str>,
}

/// GET: the form, for who has proved the address.
pub async fn show(State(gateway): State<Arc<Gateway>>, site: Site, mut cookies: Cookies) -> Answer {
    let reset = current(&mut cookies)?;
    let described = match gateway.backends.describe_flow(&reset.flow).await {
        Ok(described) => described,
        // It was set, and the answer was lost.
        Err(Fault::Refused(Reason::FlowUsed)) => return Ok(done(cookies)),
        Err(error) => return Err(fault(&mut cookies, Place::Reset, error)),
    };
    let Some(rules) = described.new_password else {
        return Ok(Redirect::to("/password/forgot/code").into_response());
    };
    let error = match read_once(&mut cookies) {
        Some(Note::NewPassword(message)) => Some(mistake(site.texts(), message, rules)),
        _ => None,
    };
    let mut frame = Frame::sign_in(site.texts().reset_new, &site);
    frame.error = error.is_some();
    let page = New {
        frame,
        error,
        length: (site.texts().new_password_length)(rules.shortest, rules.longest),
        shortest: rules.shortest,
        typed: reset.typed,
        mark: marks::make(&gateway.seals, FORM, &reset.flow.secret),
        command: marks::command_id(),
        cancel: marks::make(&gateway.seals, cancel::FORM, &reset.flow.secret),
    };
    Ok((cookies, html(&page)?).into_response())
}

/// POST of パスワードを変更. The browser is known to the account from then on.
pub async fn submit(State(gateway): State<Arc<Gateway>>, mut cookies: Cookies, form: Form) -> Answer {
    let [mark, command, password, again] =
        form.take(["csrf", "command", "new_password", "new_password_again"])?;
    let reset = current(&mut cookies)?;
    if !is_current(&gateway, FORM, &reset.flow.secret, &mark)? {
        return Ok(say(cookies, NewPasswordMessage::StaleForm));
    }
    let command = marks::read_command_id(&command).ok_or(Refusal::Unreadable)?;
    if password.is_empty() {
        return Ok(say(cookies, NewPasswordMessage::Missing));
    }
    if password != again {
        return Ok(say(cookies, NewPasswordMessage::Mismatch));
    }
    let device = cookies.read().unwrap_or_else(|| Device {
        secret: Secret::fresh(),
    });
    let set = gateway
        .backends
        .set_password(&reset.flow, password, command, &device)
        .await;
    match set {
        Ok(()) => {
            cookies.keep(&device);
            Ok(done(cookies))
        }
        Err(Fault::Refused(Reason::Unfit(unfit))) => Ok(say(cookies, unfit.into())),
        Err(Fault::Refused(Reason::EvidenceMissing)) => {
            Ok(Redirect::to("/password/forgot/code").into_response())
        }
        Err(Fault::Refused(Reason::Disabled)) => {
            cookies.forget::<Reset>();
            let redirect = to_sign_in(&mut cookies, &SignInMessage::Disabled.note());
            Ok((cookies, redirect).into_response())
        }
        Err(error) => Err(fault(&mut cookies, Place::Reset, error)),
    }
}

fn done(mut cookies: Cookies) -> Response {
    cookies.forget::<Reset>();
    cookies.keep(&Past::PasswordChanged);
    (cookies, Redirect::to("/password/forgot/done")).into_response()
}

fn say(mut cookies: Cookies, message: NewPasswordMessage) -> Response {
    cookies.keep(&Note::NewPassword(message));
    (cookies, Redirect::to("/password/forgot/new#error-summary")).into_response()
}

fn mistake(texts: &'static Texts, message: NewPasswordMessage, rules: NewPassword) -> Mistake {
    let at = |field, text: String| Mistake {
        field: Some(field),
        text,
        reason: None,
    };
    let guessable = |reason| Mistake {
        reason: Some(reason),
        ..at("new_password", texts.guessable.to_owned())
    };
    match message {
        NewPasswordMessage::Missing => at("new_password", texts.new_password_missing.to_owned()),
        NewPasswordMessage::TooShort => at("new_password", (texts.too_short)(rules.shortest)),
        NewPasswordMessage::TooLong => at("new_password", (texts.too_long)(rules.longest)),
        NewPasswordMessage::Mismatch => at("new_password_again", texts.mismatch.to_owned()),
        NewPasswordMessage::Common => guessable(texts.guessable_common),
        NewPasswordMessage::Contextual => guessable(texts.guessable_contextual),
        NewPasswordMessage::Unchanged => at("new_password", texts.unchanged.to_owned()),
        NewPasswordMessage::StaleForm => Mistake {
            field: None,
            text: texts.stale_form.to_owned(),
            reason: None,
        },
    }
}

impl From<Unfit> for NewPasswordMessage {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::TooShort => Self::TooShort,
            Unfit::TooLong => Self::TooLong,
            Unfit::Common => Self::Common,
            Unfit::Contextual => Self::Contextual,
            Unfit::Unchanged => Self::Unchanged,
        }
    }
}

impl New {
    /// Names and labels.
    fn fields(&self) -> [(&'static str, &'static str); 2] {
        let texts = self.frame.texts;
        [
            ("new_password", texts.new_password),
            ("new_password_again", texts.new_password_again),
        ]
    }

    /// The mistake of a field.
    fn at(&self, field: &str) -> Option<&Mistake> {
        self.error.as_ref().filter(|error| error.field == Some(field))
    }
}
